import type { ActivationKind } from './activation.ts';

const forward = {
  relu: (x: number) => Math.max(x, 0),
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
} as const satisfies Record<ActivationKind, (x: number) => number>;

const derivative = {
  relu: (y: number) => (y > 0 ? 1 : 0),
  sigmoid: (y: number) => y * (1 - y),
  tanh: (y: number) => 1 - y * y,
} as const satisfies Record<ActivationKind, (y: number) => number>;

/** The activation in float64. */
export function activation(kind: ActivationKind, x: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, forward[kind]);
}

/** `dx` from the activation's output and `dy`, in float64. */
export function activationGradient(
  kind: ActivationKind,
  y: ArrayLike<number>,
  dy: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(y, (v, i) => derivative[kind](v) * (dy[i] ?? NaN));
}
