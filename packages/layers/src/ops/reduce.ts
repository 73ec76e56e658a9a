import { ConvbaseError } from '@convbase/base';
import { planColumnSum, planMatmul } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { formatShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { fill } from './elementwise.ts';

/**
 * The sum of a float32 tensor over its first or last axis, which the result lacks, or of all of it, which is a scalar.
 * Throws `op/axis` for an axis between.
 */
export function sum(x: Tensor, axis?: number, tape: Tape | null = null): Tensor {
  return reduce(x, axis, () => 1, tape);
}

/** The mean in place of the sum; see `sum`. */
export function mean(x: Tensor, axis?: number, tape: Tape | null = null): Tensor {
  return reduce(x, axis, (count) => count, tape);
}

/** One number, of any shape, as often as asked for: (count). */
export function repeat(x: Tensor, count: number, tape: Tape | null = null): Tensor {
  const { gpu, shape } = x;
  const y = Tensor.empty(gpu, [count], 'repeat');
  product(x, 1, y, { m: 1, n: count, k: 1 });
  tape?.record([x], y, [], (dy) => {
    const total = sum(dy);
    const dx = total.reshape(shape);
    total.dispose();
    return [dx];
  });
  return y;
}

/** Sums, divided by what `divisor` makes of the number of summands. The gradient of each is that of its sum, divided too. */
function reduce(
  x: Tensor,
  axis: number | undefined,
  divisor: (count: number) => number,
  tape: Tape | null,
): Tensor {
  const { gpu, shape } = x;
  const { length } = shape;
  const place = axis === undefined || axis >= 0 ? axis : length + axis;
  const isRows = length > 0 && place === length - 1;
  if (place !== undefined && place !== 0 && !isRows) {
    throw new ConvbaseError('op/axis', `there is no sum over axis ${axis} of ${formatShape(shape)}`, {
      fix: 'Sum over the first axis, the last, or, without an axis, over all.',
    });
  }
  // A matrix whose rows are summed up, or whose columns are.
  const columns = place === undefined ? 1 : isRows ? (shape.at(-1) ?? 1) : x.size / (shape[0] ?? 1);
  const rows = x.size / columns;
  const rest = place === undefined ? [] : isRows ? shape.slice(0, -1) : shape.slice(1);
  const by = divisor(isRows ? columns : rows);
  const share = 1 / by;
  const y = Tensor.empty(gpu, rest, 'sum');
  if (isRows) product(x, share, y, { m: rows, n: 1, k: columns });
  else gpu.run(planColumnSum({ rows, columns, divisor: by }, gpu.target), { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [], (dy) => {
    const dx = Tensor.empty(gpu, shape, 'sum dx');
    const [a, b] = isRows ? ([dy, share] as const) : ([share, dy] as const);
    product(a, b, dx, { m: rows, n: columns, k: 1 });
    return [dx];
  });
  return y;
}

/** y (m, n) = a (m, k) b (k, n), where one of the two is a number in every place. */
function product(
  a: Tensor | number,
  b: Tensor | number,
  y: Tensor,
  { m, n, k }: { readonly m: number; readonly n: number; readonly k: number },
): void {
  const { gpu } = y;
  const filled = (factor: Tensor | number, size: number): Tensor =>
    typeof factor === 'number' ? fill(gpu, [size], factor, 'constant') : factor.share();
  const [left, right] = [filled(a, m * k), filled(b, k * n)];
  gpu.run(planMatmul({ m, n, k }, { bias: false, relu: false }, gpu.target), {
    a: left.buffer,
    b: right.buffer,
    bias: null,
    c: y.buffer,
  });
  left.dispose();
  right.dispose();
}
