import type { Sample } from './protocol.ts';

/** Values of an output that are compared. */
export const SAMPLE_COUNT = 1024;

/**
 * Which elements of an output of `length` elements are compared: all where they are few, else a fixed set spread over
 * all of it, so that a wrong edge, channel or picture is met. Ascending, none twice.
 */
export function sampleIndices(length: number): Uint32Array {
  if (length <= SAMPLE_COUNT) return Uint32Array.from({ length }, (_, i) => i);
  const stretch = length / SAMPLE_COUNT;
  // In each of equal stretches one, at a place by chance (lowbias32, Wellons 2018): steps of equal length would go past
  // some channels again and again.
  return Uint32Array.from({ length: SAMPLE_COUNT }, (_, i) => {
    let hash = Math.imul(i ^ (i >>> 16), 0x7feb352d);
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
    hash = (hash ^ (hash >>> 16)) >>> 0;
    return Math.floor(i * stretch) + (hash % Math.floor(stretch));
  });
}

/** The values of an output that are compared. */
export function sampleOf(values: ArrayLike<number>): Sample {
  const indices = sampleIndices(values.length);
  return { length: values.length, values: Float32Array.from(indices, (index) => values[index] ?? NaN) };
}
