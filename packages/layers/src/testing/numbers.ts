import { uniformStream } from '../layers/random.ts';

/** Seeded numbers in [-1, 1). */
export function randoms(length: number, seed = 1): Float32Array {
  const next = uniformStream(seed);
  return Float32Array.from({ length }, () => 2 * next() - 1);
}

/** Relative L2 error, as the golden files are judged. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] ?? Number.NaN;
    difference += ((actual[i] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  }
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}
