/** What the penalty multiplies. */
export interface Penalty {
  readonly l1: number;
  readonly l2: number;
}

/** l1 * sum of |w| + l2 * sum of w^2, in float64. */
export function penaltyReference(w: ArrayLike<number>, { l1, l2 }: Penalty): number {
  return Array.from(w).reduce((sum, value) => sum + l1 * Math.abs(value) + l2 * value ** 2, 0);
}

/** Its gradient, l1 sign(w) + 2 l2 w, in float64. */
export function penaltyGradientReference(w: ArrayLike<number>, { l1, l2 }: Penalty): Float64Array {
  return Float64Array.from(w, (value) => l1 * Math.sign(value) + 2 * l2 * value);
}
