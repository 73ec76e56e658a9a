import { ConvbaseError } from '@convbase/base';
import type { ImageTransform } from '@convbase/core-gpu';
import { inputsOf, type Batch, type Dataset, type HostArray } from '../tensor/host-array.ts';
import { mapBatches } from '../tensor/map-batches.ts';
import { formatShape } from '../tensor/shape.ts';
import type { ImageSize } from './affine.ts';

/**
 * What is done to one picture in one epoch, step by step: a pure function. `picture` is its index in the dataset, or
 * batch and row where the dataset has no indices.
 */
export type TransformSource = (
  size: ImageSize,
  epoch: number,
  picture: readonly number[],
) => readonly ImageTransform[];

/**
 * The dataset with transforms on its pictures, which the GPU applies when a batch is uploaded.
 *
 * @param name who asks, for errors
 * @throws ConvbaseError `augment/input`, while reading, for batches of anything but one array of uint8 pictures
 */
export function flowTransforms(
  dataset: Dataset,
  name: string,
  source: TransformSource,
  prepare: (x: HostArray) => HostArray = (x) => x,
): Dataset {
  return mapBatches(dataset, (batch, epoch, number) => {
    const [n, size, x] = picturesOf(batch, name);
    const pictures = Array.from({ length: n }, (_, row) => {
      const index = batch.indices?.[row];
      return source(size, epoch, index === undefined ? [number, row] : [index]);
    });
    const steps = Array.from({ length: Math.max(0, ...pictures.map((list) => list.length)) }, (_, step) =>
      pictures.map((list) => list[step] ?? {}),
    );
    return { ...batch, x: { ...prepare(x), augment: steps } };
  });
}

function picturesOf(batch: Batch, name: string): [n: number, size: ImageSize, x: HostArray] {
  const [x, ...more] = inputsOf(batch);
  const [n, height, width, channels] = x?.shape ?? [];
  if (
    x === undefined ||
    more.length > 0 ||
    !(x.data instanceof Uint8Array) ||
    n === undefined ||
    height === undefined ||
    width === undefined ||
    channels === undefined
  ) {
    throw new ConvbaseError(
      'augment/input',
      `batches of one array of uint8 pictures are needed, not ${inputsOf(batch).map(describe).join(', ')}`,
      { where: name, fix: 'Put augmentation layers into the model for anything else.' },
    );
  }
  return [n, { height, width }, x];
}

function describe(x: HostArray): string {
  return `${x.data instanceof Uint8Array ? 'uint8' : 'float32'} ${formatShape(x.shape)}`;
}
