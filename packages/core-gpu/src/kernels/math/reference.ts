import type { UnaryKind } from './math.ts';

type Numbers = ArrayLike<number>;

const forward = {
  exp: Math.exp,
  log: Math.log,
  abs: Math.abs,
  sqrt: Math.sqrt,
  reciprocal: (x: number) => 1 / x,
} as const satisfies Record<UnaryKind, (x: number) => number>;

const derivative = {
  exp: (y: number) => y,
  log: (x: number) => 1 / x,
  abs: Math.sign,
  sqrt: (y: number) => 1 / (2 * y),
  reciprocal: (y: number) => -y * y,
} as const satisfies Record<UnaryKind, (v: number) => number>;

/** The function in float64. */
export function unary(kind: UnaryKind, x: Numbers): Float64Array {
  return Float64Array.from(x, forward[kind]);
}

/** `dx` from `dy` and the input (log, abs) or output (the others), in float64. */
export function unaryGradient(kind: UnaryKind, v: Numbers, dy: Numbers): Float64Array {
  return Float64Array.from(v, (known, i) => derivative[kind](known) * (dy[i] ?? NaN));
}

/** `max(a, b)` in float64. */
export function maximum(a: Numbers, b: Numbers): Float64Array {
  return Float64Array.from(a, (v, i) => Math.max(v, b[i] ?? NaN));
}

/** What of `dy` goes to a, or to b. */
export function maximumGradient(of: 'a' | 'b', a: Numbers, b: Numbers, dy: Numbers): Float64Array {
  return Float64Array.from(a, (v, i) => (v < (b[i] ?? NaN) === (of === 'b') ? (dy[i] ?? NaN) : 0));
}
