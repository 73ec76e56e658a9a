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
  // In each of equal stretches one, at a place that goes through the stretch by the golden ratio.
  return Uint32Array.from({ length: SAMPLE_COUNT }, (_, i) =>
    Math.min(length - 1, Math.floor((i + ((i * 0.6180339887498949) % 1)) * stretch)),
  );
}

/** The values of an output that are compared. */
export function sampleOf(values: ArrayLike<number>): Sample {
  const indices = sampleIndices(values.length);
  return { length: values.length, values: Float32Array.from(indices, (index) => values[index] ?? NaN) };
}
