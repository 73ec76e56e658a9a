import {
  planBatchNormFold,
  planBatchNormInferenceGradient,
  planBatchNormNormalize,
  planBatchNormStatistics,
  planBatchNormTrainingGradient,
  planMovingAverage,
} from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor, type DType } from '../tensor/tensor.ts';
import { reluGradient } from './conv2d.ts';
import { rowsAndColumns } from './dims.ts';

/** Scale and shift of a batch normalisation; null where the layer has none (then 1 and 0). */
export interface Affine {
  readonly gamma: Tensor | null;
  readonly beta: Tensor | null;
}

/** Per-channel mean and biased variance. */
export interface Statistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

export interface BatchNormOptions {
  readonly epsilon: number;
  /** Applies relu in the same kernel. */
  readonly relu?: boolean;
}

/** Mean and biased variance of each channel (the last axis) over everything else. The caller owns both. */
export function batchStatistics(x: Tensor): Statistics {
  const { gpu } = x;
  const { rows, columns: c } = rowsAndColumns(x);
  const mean = Tensor.empty(gpu, [c], 'batch mean');
  const variance = Tensor.empty(gpu, [c], 'batch variance');
  gpu.run(planBatchNormStatistics({ rows, c }, gpu.target), {
    x: x.buffer,
    mean: mean.buffer,
    variance: variance.buffer,
  });
  return { mean, variance };
}

/**
 * (x - mean) / sqrt(variance + epsilon) * gamma + beta over the last axis.
 *
 * `source` says what the statistics are to the gradient: `'batch'` when they were computed from this very `x` (the
 * gradient flows through them), `'moving'` when they are constants.
 */
export function batchNorm(
  x: Tensor,
  statistics: Statistics,
  { gamma, beta }: Affine,
  source: 'batch' | 'moving',
  { epsilon, relu = false }: BatchNormOptions,
  tape: Tape | null = null,
): Tensor {
  const { gpu } = x;
  const { rows, columns: c } = rowsAndColumns(x);
  const y = Tensor.empty(gpu, x.shape, 'batch norm', x.dtype);
  const normalize = planBatchNormNormalize(
    { rows, c, epsilon },
    { gamma: gamma !== null, beta: beta !== null, relu },
    gpu.target,
  );
  gpu.run(normalize, {
    x: x.buffer,
    mean: statistics.mean.buffer,
    variance: statistics.variance.buffer,
    gamma: gamma?.buffer ?? null,
    beta: beta?.buffer ?? null,
    y: y.buffer,
  });
  if (tape === null) return y;

  const affine = [gamma, beta].filter((value) => value !== null);
  const saved = [x, statistics.mean, statistics.variance, ...affine, ...(relu ? [y] : [])];
  tape.record([x, ...affine], y, saved, (dy, [x, mean, variance, ...rest], wanted) => {
    if (!x || !mean || !variance) return [];
    const scale = gamma === null ? null : (rest[0] ?? null);
    const output = relu ? rest.at(-1) : undefined;
    const dz = output === undefined ? dy.share() : reluGradient({ y: output, dy });
    const [, wantsGamma, wantsBeta] = gamma === null ? [wanted[0], false, wanted[1]] : wanted;
    const dx = Tensor.empty(gpu, x.shape, 'batch norm dx', x.dtype);
    const dgamma = wantsGamma ? Tensor.empty(gpu, [c], 'batch norm dgamma') : null;
    const dbeta = wantsBeta ? Tensor.empty(gpu, [c], 'batch norm dbeta') : null;
    const has = { gamma: scale !== null };
    const plan =
      source === 'batch'
        ? planBatchNormTrainingGradient({ rows, c, epsilon }, has, gpu.target)
        : planBatchNormInferenceGradient(
            { rows, c, epsilon },
            { ...has, parameters: dgamma !== null || dbeta !== null },
            gpu.target,
          );
    gpu.run(plan, {
      x: x.buffer,
      dy: dz.buffer,
      mean: mean.buffer,
      variance: variance.buffer,
      gamma: scale?.buffer ?? null,
      dx: dx.buffer,
      dgamma: dgamma?.buffer ?? null,
      dbeta: dbeta?.buffer ?? null,
    });
    dz.dispose();
    return [dx, ...(gamma === null ? [] : [dgamma]), ...(beta === null ? [] : [dbeta])];
  });
  return y;
}

/** moving = moving * momentum + batch * (1 - momentum), in place. */
export function updateMoving(moving: Tensor, batch: Tensor, momentum: number): void {
  const { gpu } = moving;
  gpu.run(planMovingAverage({ count: moving.size, momentum }, gpu.target), {
    moving: moving.buffer,
    batch: batch.buffer,
  });
}

/**
 * A convolution's kernel and bias with the batch normalisation behind it multiplied in:
 * kernel' = kernel * s and bias' = (bias - mean) * s + beta, where s = gamma / sqrt(variance + epsilon). The kernel is
 * made in `dtype`.
 */
export function foldBatchNorm(
  kernel: Tensor,
  bias: Tensor | null,
  { mean, variance }: Statistics,
  { gamma, beta }: Affine,
  epsilon: number,
  dtype: DType = 'float32',
): { kernel: Tensor; bias: Tensor } {
  const { gpu } = kernel;
  const { rows, columns: co } = rowsAndColumns(kernel);
  const foldedKernel = Tensor.empty(gpu, kernel.shape, 'folded kernel', dtype);
  const foldedBias = Tensor.empty(gpu, [co], 'folded bias');
  const has = { gamma: gamma !== null, beta: beta !== null, bias: bias !== null };
  gpu.run(planBatchNormFold({ rows, co, epsilon }, has, gpu.target), {
    kernel: kernel.buffer,
    bias: bias?.buffer ?? null,
    gamma: gamma?.buffer ?? null,
    beta: beta?.buffer ?? null,
    mean: mean.buffer,
    variance: variance.buffer,
    foldedKernel: foldedKernel.buffer,
    foldedBias: foldedBias.buffer,
  });
  return { kernel: foldedKernel, bias: foldedBias };
}
