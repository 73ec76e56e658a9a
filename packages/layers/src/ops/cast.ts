import { planCast } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor, type FloatType } from '../tensor/tensor.ts';

/** The numbers of x as float16 (the nearest ones) or float32: a tensor of the caller's own, x itself where it is that. */
export function cast(x: Tensor, dtype: FloatType, tape: Tape | null = null): Tensor {
  const { gpu, dtype: from } = x;
  if (from === dtype) return x.share();
  const y = Tensor.empty(gpu, x.shape, dtype, dtype);
  gpu.run(planCast({ count: x.size }, gpu.target), { x: x.buffer, y: y.buffer });
  tape?.record([x], y, [], (dy) => [cast(dy, from === 'float16' ? from : 'float32')]);
  return y;
}

/** x as float32; consumes it. */
export function widened(x: Tensor, tape: Tape | null = null): Tensor {
  if (x.dtype !== 'float16') return x;
  const y = cast(x, 'float32', tape);
  x.dispose();
  return y;
}
