import { planConcatRead, planConcatWrite } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor, tensor } from '../tensor/tensor.ts';
import { batchNorm } from './batch-norm.ts';
import { concat } from './concat.ts';
import { rowsAndColumns } from './dims.ts';
import { fill } from './elementwise.ts';

/** The channels (of the last axis) from `offset` on. */
export function channelRange(x: Tensor, offset: number, channels: number, tape: Tape | null = null): Tensor {
  const { gpu, shape } = x;
  const { rows, columns: totalChannels } = rowsAndColumns(x);
  const slice = { rows, channels, totalChannels, offset };
  const y = Tensor.empty(gpu, [...shape.slice(0, -1), channels], 'channels', x.dtype);
  gpu.run(planConcatRead(slice, gpu.target), { y: x.buffer, x: y.buffer });
  tape?.record([x], y, [], (dy) => {
    const dx = fill(gpu, shape, 0, 'channels dx', dy.dtype);
    gpu.run(planConcatWrite(slice, gpu.target), { x: dy.buffer, y: dx.buffer });
    return [dx];
  });
  return y;
}

/** The channels of these numbers, in this order. */
export function channelsAt(x: Tensor, indices: readonly number[], tape: Tape | null = null): Tensor {
  const [first = 0] = indices;
  if (indices.every((index, i) => index === first + i)) {
    return channelRange(x, first, indices.length, tape);
  }
  const parts = indices.map((index) => channelRange(x, index, 1, tape));
  const y = concat(parts, tape);
  for (const part of parts) part.dispose();
  return y;
}

/** `factors[c] * x + offsets[c]` for each channel c. */
export function channelAffine(
  x: Tensor,
  { factors, offsets }: { readonly factors: Float32Array; readonly offsets: Float32Array },
  tape: Tape | null = null,
): Tensor {
  const { gpu } = x;
  const shape = [factors.length];
  const [gamma, beta] = [tensor(gpu, factors, shape, 'factors'), tensor(gpu, offsets, shape, 'offsets')];
  // A normalisation by the mean 0 and the variance 1.
  const [mean, variance] = [fill(gpu, shape, 0, 'mean 0'), fill(gpu, shape, 1, 'variance 1')];
  const y = batchNorm(x, { mean, variance }, { gamma, beta }, 'moving', { epsilon: 0 }, tape);
  for (const constant of [gamma, beta, mean, variance]) constant.dispose();
  return y;
}
