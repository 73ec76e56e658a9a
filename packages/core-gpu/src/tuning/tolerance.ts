/**
 * Largest error to expect of a float32 sum of `terms` random products, in parts of the root mean square of such sums.
 *
 * Rounding after each addition is a random walk of steps of 2^-24 of the sum so far: its end is about
 * sqrt(terms) * 2^-24 / 1.4 of the sum's own size. The largest of millions lies five times as far out. A product that
 * is left out or taken twice is an error of 1 / sqrt(terms), hundreds of times more.
 */
export function sumTolerance(terms: number): number {
  return Math.max(1e-6, 8 * Math.sqrt(terms) * 2 ** -24);
}
