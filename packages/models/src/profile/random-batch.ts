import { ConvbaseError } from '@convbase/base';
import type { Batch, HostArray, Model } from '@convbase/layers';

/**
 * A batch of random pictures and labels for a model: bytes for three channels, as pictures come, else floats.
 *
 * @throws ConvbaseError `profile/shape` for an input whose size is open
 */
export function randomBatch(
  model: Model,
  batchSize: number,
): Batch & { readonly x: HostArray; readonly y: HostArray } {
  const [input] = model.inputs;
  const shape = [batchSize, ...sizesOf(input?.shape.slice(1) ?? [], model.name)];
  const count = shape.reduce((a, b) => a * b, 1);
  const x: HostArray =
    shape.length === 4 && shape[3] === 3
      ? { data: Uint8Array.from({ length: count }, (_, i) => noise(i)), shape, preprocess: 'tf' }
      : { data: Float32Array.from({ length: count }, (_, i) => noise(i) / 127.5 - 1), shape };
  return { x, y: labels(model, batchSize) };
}

/** One class after the other, for a model that ends in one sigmoid unit or in a softmax. */
function labels(model: Model, batchSize: number): HostArray {
  const [output] = model.outputShapes(model.inputs.map(({ shape }) => [batchSize, ...shape.slice(1)]));
  const classes = output?.at(-1) ?? 1;
  const data = new Float32Array(batchSize * classes);
  for (let row = 0; row < batchSize; row++) {
    if (classes === 1) data[row] = row % 2;
    else data[row * classes + (row % classes)] = 1;
  }
  return { data, shape: [batchSize, classes] };
}

function sizesOf(shape: readonly (number | null)[], where: string): number[] {
  return shape.map((size) => {
    if (size !== null) return size;
    throw new ConvbaseError('profile/shape', 'it takes pictures of any size, so one has to be chosen', {
      where,
      fix: 'Say it with --size, such as --size 150.',
    });
  });
}

/** Bytes without a pattern that a cache could like. */
function noise(i: number): number {
  return (Math.imul(i + 1, 0x9e3779b1) >>> 24) & 255;
}
