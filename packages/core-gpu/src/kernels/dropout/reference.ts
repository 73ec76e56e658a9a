import type { DropoutOptions } from './dropout.ts';

const MASK = 0xffffffffn;

/**
 * Philox4x32-10 with 64-bit arithmetic: four random words from a counter and a key. Salmon, Moraes, Dror, Shaw:
 * Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
 */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0 = 0n, c1 = 0n, c2 = 0n, c3 = 0n] = counter.map(BigInt);
  let [k0 = 0n, k1 = 0n] = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const p = 0xd2511f53n * c0;
    const q = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(q >> 32n) ^ c1 ^ k0, q & MASK, (p >> 32n) ^ c3 ^ k1, p & MASK];
    k0 = (k0 + 0x9e3779b9n) & MASK;
    k1 = (k1 + 0xbb67ae85n) & MASK;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** The random word of one element of a stream. */
export function wordOf(seed: number, element: number): number {
  const counter = Math.floor(element / 4);
  const halves = (value: number) => [value % 2 ** 32, Math.floor(value / 2 ** 32)];
  return philox([...halves(counter), 0, 0], halves(seed))[element % 4] ?? NaN;
}

/** Dropout in float64. */
export function dropout({ rate, seed, offset }: DropoutOptions, x: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (v, i) => (wordOf(seed, offset + i) >= rate * 2 ** 32 ? v / (1 - rate) : 0));
}
