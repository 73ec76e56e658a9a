/** What runs inside the page; the test calls it through `globalThis.convbase`. Browser code only. */
import { openGpu } from '@convbase/core-gpu';
import { MemorySource } from '../../formats/source.ts';
import { loadModel } from '../../graph/index.ts';
import { readGoldenFile } from '../../verify/golden-file.ts';
import type { CaseResult } from '../../verify/judge.ts';
import { verifyFile } from '../../verify/verify-file.ts';

/** Opens WebGPU and says on what. */
async function describeAdapter(): Promise<{ name: string; kind: string }> {
  const gpu = await openGpu();
  const { name, kind } = gpu.adapter;
  gpu.destroy();
  return { name, kind };
}

/**
 * Loads the small model served as `<name>.keras`, runs and trains it on the page's GPU, and compares with what Keras
 * computed, served as `<name>.safetensors`.
 */
async function verifySmallModel(name: string): Promise<CaseResult[]> {
  const gpu = await openGpu();
  const golden = readGoldenFile(new MemorySource(await fetchBytes(`${name}.safetensors`), name), name);
  const model = await fetchBytes(`${name}.keras`);
  const results: CaseResult[] = [];
  const context = {
    gpu,
    smallModel: () => loadModel(model, { name }),
    makeBase: () => Promise.reject(new Error('no full models here')),
  };
  for await (const { result } of verifyFile(golden, context)) results.push(result);
  gpu.destroy();
  return results;
}

async function fetchBytes(name: string): Promise<ArrayBuffer> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.arrayBuffer();
}

/** Everything the test may call. Arguments and results travel as JSON. */
const convbase = { describeAdapter, verifySmallModel };

export type PageFunctions = typeof convbase;

Object.assign(globalThis, { convbase });
