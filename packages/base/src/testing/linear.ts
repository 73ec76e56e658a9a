import { expect } from 'vitest';
import { ending, MAX_CPU_SECONDS } from './fuzz.ts';

/** A reader and a document for it with so many of something. */
export type Growing = readonly [what: string, n: number, read: (n: number) => unknown];

/** Below this the clock and the compiler say more than the reader. */
const NOISE_SECONDS = 0.04;

/**
 * Reads a document with n of something and one with four times as many: that may take four times as long (twice that, as
 * clocks and caches are), and no more than a second. It may end with a ConvbaseError in both.
 */
export async function growsLinearly([what, n, read]: Growing): Promise<void> {
  const seconds = async (count: number, attempts: number): Promise<number> => {
    const costs: number[] = [];
    for (let i = 0; i < attempts; i++) costs.push((await ending(() => read(count))).cost.cpuSeconds);
    return Math.min(...costs);
  };
  const isLinear = (one: number, four: number): boolean =>
    four < MAX_CPU_SECONDS && four < 8 * Math.max(one, NOISE_SECONDS);
  let [one, four] = [await seconds(n, 1), await seconds(4 * n, 1)];
  // The compiler works in the same process: where it may have been the one, it is done by now.
  if (!isLinear(one, four)) [one, four] = [await seconds(n, 3), await seconds(4 * n, 3)];
  expect(
    isLinear(one, four),
    `${what}: ${n} take ${one.toFixed(3)} s, ${4 * n} take ${four.toFixed(3)} s`,
  ).toBe(true);
}
