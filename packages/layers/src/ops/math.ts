import {
  planMaximum,
  planMaximumGradient,
  planUnary,
  planUnaryGradient,
  type UnaryKind,
} from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { add, fill, multiply, scale } from './elementwise.ts';

/** Elementwise e^x, natural logarithm, absolute value, square root or 1 / x. */
export function unary(kind: UnaryKind, x: Tensor, tape: Tape | null = null): Tensor {
  const { gpu } = x;
  const y = Tensor.empty(gpu, x.shape, kind, x.dtype);
  gpu.run(planUnary({ kind, count: x.size }, gpu.target), { x: x.buffer, y: y.buffer });
  const kept = kind === 'log' || kind === 'abs' ? x : y;
  tape?.record([x], y, [kept], (dy, [v]) => {
    if (!v) return [null];
    const dx = Tensor.empty(gpu, v.shape, `${kind} dx`, dy.dtype);
    gpu.run(planUnaryGradient({ kind, count: v.size }, gpu.target), {
      v: v.buffer,
      dy: dy.buffer,
      dx: dx.buffer,
    });
    return [dx];
  });
  return y;
}

/** The larger of a and b elementwise, of equal shapes. Where they are equal the gradient goes to a. */
export function maximum(a: Tensor, b: Tensor, tape: Tape | null = null): Tensor {
  const { gpu } = a;
  const y = Tensor.empty(gpu, a.shape, 'maximum', a.dtype);
  gpu.run(planMaximum({ count: a.size }, gpu.target), { a: a.buffer, b: b.buffer, y: y.buffer });
  tape?.record([a, b], y, [a, b], (dy, [a, b], wanted) =>
    (['a', 'b'] as const).map((of, index) => {
      if (wanted[index] !== true || !a || !b) return null;
      const dx = Tensor.empty(gpu, a.shape, 'maximum dx', dy.dtype);
      const buffers = { a: a.buffer, b: b.buffer, dy: dy.buffer, dx: dx.buffer };
      gpu.run(planMaximumGradient({ of, count: a.size }, gpu.target), buffers);
      return dx;
    }),
  );
  return y;
}

/** The smaller of a and b elementwise, of equal shapes. Where they are equal the gradient goes to a. */
export function minimum(a: Tensor, b: Tensor, tape: Tape | null = null): Tensor {
  return chain([scale(a, -1, tape), scale(b, -1, tape)], ([u, v]) =>
    chain([maximum(u, v, tape)], ([larger]) => scale(larger, -1, tape)),
  );
}

/** a - b, of equal shapes. */
export function subtract(a: Tensor, b: Tensor, tape: Tape | null = null): Tensor {
  return chain([scale(b, -1, tape)], ([negative]) => add(a, negative, tape));
}

/** a / b elementwise, of equal shapes. */
export function divide(a: Tensor, b: Tensor, tape: Tape | null = null): Tensor {
  return chain([unary('reciprocal', b, tape)], ([inverse]) => multiply(a, inverse, tape));
}

/** x^2. */
export function square(x: Tensor, tape: Tape | null = null): Tensor {
  return multiply(x, x, tape);
}

/** x brought into `least` .. `most`; where it lies outside no gradient flows, at the limits it does. */
export function clip(x: Tensor, least: number, most: number, tape: Tape | null = null): Tensor {
  const limits = [least, most].map((limit) => fill(x.gpu, x.shape, limit, 'clip', x.dtype));
  return chain(limits as [Tensor, Tensor], ([low, high]) =>
    chain([maximum(x, low, tape)], ([above]) => minimum(above, high, tape)),
  );
}

/** What `last` makes of intermediate tensors, which are given back afterwards. */
function chain<T extends readonly Tensor[]>(
  between: readonly [...T],
  last: (between: readonly [...T]) => Tensor,
): Tensor {
  try {
    return last(between);
  } finally {
    for (const value of between) value.dispose();
  }
}
