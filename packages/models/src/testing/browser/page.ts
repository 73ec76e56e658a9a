/** What runs inside the page; the test calls it through `globalThis.convbase`. Browser code only. */
import { openGpu } from '@convbase/core-gpu';
import { rankRows } from '../../classifier/index.ts';
import { MemorySource } from '../../formats/source.ts';
import { loadModel } from '../../graph/index.ts';
import { classifierBytes, openClassifierFile } from '../../save/index.ts';
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
    precision: 'float32' as const,
    smallModel: () => loadModel(model, { name }),
    makeBase: () => Promise.reject(new Error('no full models here')),
  };
  for await (const { result } of verifyFile(golden, context)) results.push(result);
  gpu.destroy();
  return results;
}

/** What a classifier says of its classes, and the classes of one picture with their probabilities. */
export interface Classified {
  readonly classNames: readonly string[];
  readonly ranked: readonly { readonly className: string; readonly probability: number }[];
  /** Whether the classifier, saved in the page and opened again, says the same. */
  readonly savedSaysTheSame: boolean;
}

/** Opens the classifier served under that name and asks it about one picture, twice: as served, and saved again. */
async function classify(name: string, picture: readonly number[]): Promise<Classified> {
  const gpu = await openGpu();
  const ask = async ({
    model,
    info,
  }: Awaited<ReturnType<typeof openClassifierFile>>): Promise<Classified['ranked']> => {
    const { size, preprocess } = info.input;
    const shape = [1, ...size, 3];
    const output = await model.to(gpu).predict({ data: Uint8Array.from(picture), shape, preprocess });
    return rankRows(output, info.classNames)[0] ?? [];
  };
  const served = await openClassifierFile(name);
  const ranked = await ask(served);
  const saved = await openClassifierFile(await classifierBytes(served.model, served.info));
  const savedSaysTheSame = JSON.stringify(await ask(saved)) === JSON.stringify(ranked);
  gpu.destroy();
  return { classNames: served.info.classNames, ranked, savedSaysTheSame };
}

async function fetchBytes(name: string): Promise<ArrayBuffer> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.arrayBuffer();
}

/** Everything the test may call. Arguments and results travel as JSON. */
const convbase = { classify, describeAdapter, verifySmallModel };

export type PageFunctions = typeof convbase;

Object.assign(globalThis, { convbase });
