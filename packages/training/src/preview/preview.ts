import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import {
  pictureBatches,
  pictureGrid,
  type Picture,
  type PictureSet,
  type PictureSize,
  type ResizeMode,
} from '@convbase/data';
import { inputsOf, uploadInput, type Dataset } from '@convbase/layers';

export interface PreviewOptions {
  /** Puts augmentation on a dataset of uint8 pictures: `(data) => generator.flow(data)`. */
  readonly augment: (pictures: Dataset) => Dataset;
  readonly size: PictureSize;
  readonly resize?: ResizeMode;
  /** How many variants of each picture; those that the first epochs of training would see. */
  readonly variants: number;
  /** Puts each picture itself in front of its variants. */
  readonly original?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * A grid of augmented pictures to look at: a square of the variants of a single picture, else one row for each
 * picture.
 *
 * @throws ConvbaseError `data/empty` for a set without pictures, and the errors of reading them
 */
export async function augmentationPreview(
  gpu: Gpu,
  pictures: PictureSet,
  { augment, size, resize, variants, original = false, signal }: PreviewOptions,
): Promise<Picture> {
  if (pictures.length === 0) throw new ConvbaseError('data/empty', 'there are no pictures to be shown');
  const plain = pictureBatches(pictures, {
    size,
    batchSize: Math.min(pictures.length, 32),
    ...(resize === undefined ? {} : { resize }),
    ...(signal === undefined ? {} : { signal }),
  });
  const epochs = original ? [await picturesOf(gpu, plain, 0)] : [];
  const augmented = augment(plain);
  for (let epoch = 0; epoch < variants; epoch++) epochs.push(await picturesOf(gpu, augmented, epoch));
  const rows = Array.from({ length: pictures.length }, (_, i) => epochs.flatMap((epoch) => epoch[i] ?? []));
  const columns = pictures.length === 1 ? Math.ceil(Math.sqrt(epochs.length)) : epochs.length;
  return pictureGrid(rows.flat(), { columns });
}

/** The pictures of one epoch as a model without preprocessing gets them. */
async function picturesOf(gpu: Gpu, dataset: Dataset, epoch: number): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for await (const batch of dataset.batches(epoch)) {
    for (const x of inputsOf(batch)) {
      const tensor = uploadInput(gpu, { ...x, preprocess: 'none' }, 'preview');
      const [n = 0, height = 0, width = 0] = tensor.shape;
      const values = await tensor.data();
      tensor.dispose();
      const bytes = Uint8ClampedArray.from(values);
      const length = height * width * 3;
      for (let i = 0; i < n; i++) {
        pictures.push({
          width,
          height,
          data: new Uint8Array(bytes.slice(i * length, (i + 1) * length).buffer),
        });
      }
    }
  }
  return pictures;
}
