import { expect, it } from 'vitest';
import { SAMPLE_COUNT, sampleIndices, sampleOf } from './sample.ts';

it('takes all values of a small output', () => {
  expect([...sampleOf([5, 6, 7]).values]).toEqual([5, 6, 7]);
});

it.each([SAMPLE_COUNT + 1, 5000, 8192, 1_000_003])('spreads over all of %i values, none twice', (length) => {
  const indices = [...sampleIndices(length)];
  expect(indices).toHaveLength(SAMPLE_COUNT);
  expect(new Set(indices).size).toBe(SAMPLE_COUNT);
  expect(indices).toEqual(indices.toSorted((a, b) => a - b));
  expect(indices[0]).toBeLessThan(length / SAMPLE_COUNT);
  expect(indices.at(-1)).toBeGreaterThan(length - 1 - (2 * length) / SAMPLE_COUNT);
  expect(indices.at(-1)).toBeLessThan(length);
  // Every channel of 64 is met, whatever the stride between samples.
  if (length > 64 * SAMPLE_COUNT) expect(new Set(indices.map((i) => i % 64)).size).toBe(64);
});
