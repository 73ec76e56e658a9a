import { problemKey, tunableKernels, type Gpu, type Problem } from '@convbase/core-gpu';
import type { Batch, HostArray, Model } from '@convbase/layers';

/** A problem of a model that can be done in several ways. */
export interface ModelProblem {
  readonly problem: Problem;
  readonly key: string;
  /** The layers that have it, one for each time it runs. */
  readonly layers: readonly string[];
  /** Arithmetic of all these times together. */
  readonly flops: number;
}

/**
 * What a model has to compute in one prediction or, with `train`, in one training step: runs it once and watches. The
 * problems with the most arithmetic come first.
 */
export async function problemsOf(
  gpu: Gpu,
  model: Model,
  batch: Batch & { readonly x: HostArray },
  train: boolean,
): Promise<ModelProblem[]> {
  const known = new Set(tunableKernels);
  const found = new Map<string, { problem: Problem; layers: string[]; flops: number }>();
  model.to(gpu);
  const stop = gpu.watchPlans(({ problem, flops }, { layer }) => {
    if (problem === undefined || !known.has(problem.kernel)) return;
    const key = problemKey(problem.kernel, problem.shape);
    const seen = found.get(key) ?? { problem, layers: [], flops: 0 };
    seen.layers.push(layer);
    seen.flops += flops;
    found.set(key, seen);
  });
  try {
    if (train) await model.trainOnBatch(batch);
    else await model.predictOnBatch(batch.x);
  } finally {
    stop();
  }
  return [...found].map(([key, rest]) => ({ key, ...rest })).sort((a, b) => b.flops - a.flops);
}

/** A problem in words: `conv2d forward 3x3 64>128 75x75, batch 4`, `matmul 20x8192x256`. */
export function describeProblem({ kernel, shape }: Problem): string {
  const of = (name: string): string => String(shape[name] ?? 1);
  if ('kh' in shape) {
    const strides =
      of('strideH') === '1' && of('strideW') === '1' ? '' : ` by ${of('strideH')}x${of('strideW')}`;
    const dilations = of('dilationH') === '1' && of('dilationW') === '1' ? '' : ', dilated';
    return `${kernel} ${of('kh')}x${of('kw')} ${of('ci')}>${of('co')} ${of('h')}x${of('w')}${strides}${dilations}, batch ${of('n')}`;
  }
  if ('k' in shape) {
    const batch = of('batch') === '1' ? '' : `, batch ${of('batch')}`;
    const [a, b] = [shape['transposeA'] === true ? 'T' : '', shape['transposeB'] === true ? 'T' : ''];
    return `${kernel} ${of('m')}x${of('k')}${a} times ${of('k')}x${of('n')}${b}${batch}`;
  }
  return problemKey(kernel, shape);
}
