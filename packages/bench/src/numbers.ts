/**
 * The value that `share` of the numbers do not exceed, by the nearest rank: of fewer than 20 numbers the 95th percentile
 * is the largest.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** |actual - expected| / |expected| in the L2 norm; NaN where either holds one, or their lengths differ. */
export function relativeDistance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] ?? NaN;
    difference += ((actual[i] ?? NaN) - e) ** 2;
    norm += e ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
