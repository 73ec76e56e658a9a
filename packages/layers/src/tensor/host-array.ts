import { ConvbaseError } from '@convbase/base';
import type { ImageTransform } from '@convbase/core-gpu';
import { formatShape, sizeOf } from './shape.ts';

/** How uint8 pictures (RGB) become floats: Keras' 'caffe' and 'tf' modes, x / 255, or the plain value. */
export type PreprocessMode = 'caffe' | 'tf' | 'rescale' | 'none';

/** Numbers in main memory with a shape; what goes into a model and what comes out. */
export interface HostArray {
  readonly data: Float32Array | Uint8Array;
  readonly shape: readonly number[];
  /** How bytes become floats on the GPU; only for `Uint8Array` data, `'none'` when left out. */
  readonly preprocess?: PreprocessMode;
  /**
   * What is done to the pictures on the GPU before `preprocess`, step by step; each step has one transform for each
   * picture. Only for `Uint8Array` data of four dimensions; `ImageDataGenerator.flow` and `augmentWithLayers` put it
   * there.
   */
  readonly augment?: readonly (readonly ImageTransform[])[];
}

/** One batch: the first dimension of every shape is the batch. */
export interface Batch {
  /** The input, or one array for each input of a model with several. */
  readonly x: HostArray | readonly HostArray[];
  readonly y?: HostArray;
  /** `[n]`: what each sample's loss is multiplied by before the sum is divided by n, as in Keras. */
  readonly sampleWeight?: HostArray;
  /** Which samples of the dataset these are. */
  readonly indices?: readonly number[];
}

/** Batches of one epoch after another. A plain structural type: anything with these members is a dataset. */
export interface Dataset {
  /**
   * The batches of an epoch, from number `first` (0 when left out) on: a function of the two numbers alone, so that
   * training goes on in the middle of an epoch with just the batches it would have seen.
   */
  batches(epoch: number, first?: number): AsyncIterable<Batch> | Iterable<Batch>;
  /** How many batches an epoch has. */
  readonly batchCount?: number;
  readonly sampleCount?: number;
}

/** The inputs of a batch, however many there are. */
export function inputsOf(batch: Pick<Batch, 'x'>): readonly HostArray[] {
  return 'data' in batch.x ? [batch.x] : batch.x;
}

/** Throws `array/shape` for a shape that cannot be, and when the data does not have as many elements as it says. */
export function checkHostArray(array: HostArray, where: string): void {
  if (!array.shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)) {
    throw new ConvbaseError('array/shape', `there is no shape ${formatShape(array.shape)}`, {
      where,
      fix: 'Dimensions are whole numbers, the number of samples first.',
    });
  }
  const expected = sizeOf(array.shape);
  if (array.data.length !== expected) {
    throw new ConvbaseError(
      'array/shape',
      `${array.data.length} values do not fill the shape ${formatShape(array.shape)}, which needs ${expected}`,
      { where, fix: 'Give the shape that the data has, batch dimension first.' },
    );
  }
}
