import { planConcatRead, planConcatWrite, type ConcatSlice, type Plan } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { rowsAndColumns } from './dims.ts';
import { PlanCache } from './plan-cache.ts';

const plans = new PlanCache<ConcatSlice, Plan>(planConcatWrite);

/** Writes x into some channels of a wider tensor. No gradient flows through it. */
export function writeChannels(x: Tensor, wide: Tensor, offset: number): void {
  const { gpu } = x;
  const { rows, columns: channels } = rowsAndColumns(x);
  const { columns: totalChannels } = rowsAndColumns(wide);
  const plan = plans.get({ rows, channels, totalChannels, offset }, gpu.target);
  gpu.run(plan, { x: x.buffer, y: wide.buffer });
}

/** Joins tensors along the last axis; all other axes are equal. */
export function concat(inputs: readonly Tensor[], tape: Tape | null = null): Tensor {
  const [first] = inputs;
  if (first === undefined) throw new RangeError('concat needs at least one tensor');
  const { gpu } = first;
  const { rows } = rowsAndColumns(first);
  const totalChannels = inputs.reduce((sum, input) => sum + rowsAndColumns(input).columns, 0);
  const y = Tensor.empty(gpu, [...first.shape.slice(0, -1), totalChannels], 'concat', first.dtype);
  let offset = 0;
  const slices = inputs.map((input) => {
    const slice = { rows, channels: rowsAndColumns(input).columns, totalChannels, offset };
    gpu.run(planConcatWrite(slice, gpu.target), { x: input.buffer, y: y.buffer });
    offset += slice.channels;
    return { slice, shape: input.shape };
  });
  tape?.record(inputs, y, [], (dy, _saved, wanted) =>
    slices.map(({ slice, shape }, index) => {
      if (wanted[index] !== true) return null;
      const dx = Tensor.empty(gpu, shape, 'concat dx', dy.dtype);
      gpu.run(planConcatRead(slice, gpu.target), { y: dy.buffer, x: dx.buffer });
      return dx;
    }),
  );
  return y;
}
