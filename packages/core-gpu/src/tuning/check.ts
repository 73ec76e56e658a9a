import type { ProblemShape } from './table.ts';
import type { Tunable } from './tunable.ts';

/** Elements that are computed anew in float64. */
const SAMPLES = 48;

/** Random floats in [-1, 1), the same in every process; longer when longer ones are asked for. */
let noise = new Float32Array();

/** Random inputs of a problem, the same every time. Borrowed: not to be changed. */
export function randomInputs(tunable: Tunable, shape: ProblemShape): Record<string, Float32Array> {
  const buffers = tunable.inputs(shape);
  // Each input begins elsewhere, so that they are not alike.
  const end = Math.max(...buffers.map(({ length }, i) => length + STAGGER * i));
  if (noise.length < end) noise = randomFloats(end);
  return Object.fromEntries(
    buffers.map(({ name, length }, i) => [name, noise.subarray(STAGGER * i, STAGGER * i + length)]),
  );
}

const STAGGER = 12_347;

function randomFloats(length: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(length);
  let state = 0x9e3779b9;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[at] = state / 2 ** 31;
  }
  return values;
}

/**
 * The largest error of a result at elements spread over it, the first and the last among them, against float64, in parts
 * of the result's root mean square. NaN where an element is not a number.
 */
export function sampledError(
  tunable: Tunable,
  shape: ProblemShape,
  inputs: Readonly<Record<string, Float32Array>>,
  result: Float32Array,
): number {
  const last = result.length - 1;
  const indices = Array.from({ length: SAMPLES }, (_, i) => Math.round((last * i) / (SAMPLES - 1)));
  const expected = indices.map((index) => tunable.at(shape, inputs, index));
  const size = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0) / SAMPLES);
  const errors = indices.map((index, i) => Math.abs((result[index] ?? NaN) - (expected[i] ?? NaN)));
  return worst(errors, size);
}

/** The largest difference between two results, element by element, in parts of the first one's root mean square. */
export function differenceOf(reference: Float32Array, result: Float32Array): number {
  if (reference.length !== result.length) return NaN;
  let [squares, largest] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    const wanted = reference[i] ?? NaN;
    const difference = Math.abs(wanted - (result[i] ?? NaN));
    squares += wanted * wanted;
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(largest)) return NaN;
  }
  return relative(largest, Math.sqrt(squares / reference.length));
}

function worst(errors: readonly number[], size: number): number {
  // Math.max gives NaN as soon as one of them is.
  return relative(Math.max(...errors), size);
}

function relative(error: number, size: number): number {
  return error === 0 ? 0 : error / size;
}
