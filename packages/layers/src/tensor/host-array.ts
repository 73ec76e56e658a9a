import { ConvbaseError } from '@convbase/base';
import { formatShape, sizeOf } from './shape.ts';

/** How uint8 pictures (RGB) become floats: Keras' 'caffe' and 'tf' modes, x / 255, or the plain value. */
export type PreprocessMode = 'caffe' | 'tf' | 'rescale' | 'none';

/** Numbers in main memory with a shape; what goes into a model and what comes out. */
export interface HostArray {
  readonly data: Float32Array | Uint8Array;
  readonly shape: readonly number[];
  /** How bytes become floats on the GPU; only for `Uint8Array` data, `'none'` when left out. */
  readonly preprocess?: PreprocessMode;
}

/** One batch: the first dimension of every shape is the batch. */
export interface Batch {
  readonly x: HostArray;
  readonly y?: HostArray;
}

/** Batches of one epoch after another. A plain structural type: anything with these members is a dataset. */
export interface Dataset {
  batches(epoch: number): AsyncIterable<Batch> | Iterable<Batch>;
  readonly batchCount?: number;
  readonly sampleCount?: number;
}

/** Throws `array/shape` when the data does not have as many elements as the shape says. */
export function checkHostArray(array: HostArray, where: string): void {
  const expected = sizeOf(array.shape);
  if (array.data.length !== expected) {
    throw new ConvbaseError(
      'array/shape',
      `${array.data.length} values do not fill the shape ${formatShape(array.shape)}, which needs ${expected}`,
      { where, fix: 'Give the shape that the data has, batch dimension first.' },
    );
  }
}
