import { planAdd, planFill, planMultiply, planScale, type Gpu } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor, type DType } from '../tensor/tensor.ts';

/** a + b, of equal shapes. */
export function add(a: Tensor, b: Tensor, tape: Tape | null = null): Tensor {
  const { gpu } = a;
  const y = Tensor.empty(gpu, a.shape, 'add', a.dtype);
  gpu.run(planAdd({ count: a.size }, gpu.target), { a: a.buffer, b: b.buffer, y: y.buffer });
  tape?.record([a, b], y, [], (dy, _saved, wanted) => wanted.map((wants) => (wants ? dy.share() : null)));
  return y;
}

/** a * b elementwise, of equal shapes. */
export function multiply(a: Tensor, b: Tensor, tape: Tape | null = null): Tensor {
  const { gpu } = a;
  const y = product(a, b);
  tape?.record([a, b], y, [a, b], (dy, [a, b], [wantsA, wantsB]) => [
    wantsA && b ? product(dy, b) : null,
    wantsB && a ? product(dy, a) : null,
  ]);
  return y;

  function product(u: Tensor, v: Tensor): Tensor {
    const result = Tensor.empty(gpu, u.shape, 'multiply', u.dtype);
    gpu.run(planMultiply({ count: u.size }, gpu.target), { a: u.buffer, b: v.buffer, y: result.buffer });
    return result;
  }
}

/** x * factor. */
export function scale(x: Tensor, factor: number, tape: Tape | null = null): Tensor {
  const { gpu } = x;
  const y = Tensor.empty(gpu, x.shape, 'scale', x.dtype);
  gpu.run(planScale({ count: x.size, factor }, gpu.target), { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [], (dy) => [scale(dy, factor)]);
  return y;
}

/** A tensor filled with one number. */
export function fill(
  gpu: Gpu,
  shape: readonly number[],
  value: number,
  label: string,
  dtype: DType = 'float32',
): Tensor {
  const y = Tensor.empty(gpu, shape, label, dtype);
  gpu.run(planFill({ count: y.size, value }, gpu.target), { y: y.buffer });
  return y;
}

/** x + offset. */
export function shift(x: Tensor, offset: number, tape: Tape | null = null): Tensor {
  const constant = fill(x.gpu, x.shape, offset, 'shift', x.dtype);
  const y = add(x, constant, tape);
  constant.dispose();
  return y;
}
