/**
 * The exponential moving average that the book plots: each point is `factor` times the smoothed one before it plus
 * `1 - factor` times itself; the first stands as it is. Gaps stay gaps.
 *
 * Source: Chollet, Deep Learning with Python, 1st edition, listing 5.22 (`smooth_curve`, factor 0.8).
 */
export function smooth(values: readonly (number | null)[], factor: number): (number | null)[] {
  let previous: number | undefined;
  return values.map((value) => {
    if (value === null) return null;
    previous = previous === undefined ? value : previous * factor + value * (1 - factor);
    return previous;
  });
}
