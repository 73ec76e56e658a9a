/** What runs inside the page; the test calls it through `globalThis.convbase`. Browser code only. */
import { openGpu } from '@convbase/core-gpu';

/** Opens WebGPU and says on what. */
async function describeAdapter(): Promise<{ name: string; kind: string }> {
  const gpu = await openGpu();
  const { name, kind } = gpu.adapter;
  gpu.destroy();
  return { name, kind };
}

/** Everything the test may call. Arguments and results travel as JSON. */
const convbase = { describeAdapter };

export type PageFunctions = typeof convbase;

Object.assign(globalThis, { convbase });
