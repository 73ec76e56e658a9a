import { ConvbaseError } from '@convbase/base';
import type { ImageTransform } from '@convbase/core-gpu';
import { formatShape, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

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

/** Numbers in main memory, or a tensor, which stays the caller's own and is read back once. */
export type ArrayInput = HostArray | Tensor;

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
  readonly batchCount?: number | undefined;
  readonly sampleCount?: number | undefined;
}

/** The inputs of a batch, however many there are. */
export function inputsOf<A extends ArrayInput = HostArray>({
  x,
}: {
  readonly x: A | readonly A[];
}): readonly A[] {
  return isOneArray(x) ? [x] : (x as readonly A[]);
}

/** Whether a model's input is one array, and not a list of them. */
export function isOneArray<A extends ArrayInput>(x: A | readonly A[]): x is A {
  return !Array.isArray(x);
}

/**
 * Throws `array/type` for what is no array of float32 numbers or bytes, and `array/shape` for a shape that cannot be or
 * that the data does not fill.
 */
export function checkHostArray(array: HostArray, where: string): void {
  const { data, shape }: { readonly data?: unknown; readonly shape?: unknown } = Object(array) as object;
  if (!(data instanceof Float32Array || data instanceof Uint8Array) || !Array.isArray(shape)) {
    throw new ConvbaseError('array/type', `${nameOf(data ?? array)} is no array that a model can take`, {
      where,
      fix: 'Give { data, shape } with data in a Float32Array, or bytes in a Uint8Array, and the shape in a list.',
    });
  }
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

/** `count` rows of an array from number `first` on, without a copy: rows are along the first dimension. */
export function rowsOf(array: HostArray, first: number, count: number): HostArray {
  const rest = array.shape.slice(1);
  const size = sizeOf(rest);
  const { augment } = array;
  return {
    ...array,
    data: array.data.subarray(first * size, (first + count) * size),
    shape: [count, ...rest],
    ...(augment && { augment: augment.map((transforms) => transforms.slice(first, first + count)) }),
  };
}

/** What a value of unknown type is called in a message. */
export function nameOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'function') return `a ${typeof value}`;
  if (value === null || typeof value !== 'object') return String(value);
  if (value.constructor !== Object) return `a ${value.constructor.name}`;
  return `an object with ${Object.keys(value).slice(0, 8).join(', ') || 'nothing'}`;
}
