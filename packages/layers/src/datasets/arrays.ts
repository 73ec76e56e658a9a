import { ConvbaseError } from '@convbase/base';
import { cast } from '../ops/cast.ts';
import {
  inputsOf,
  isOneArray,
  rowsOf,
  type ArrayInput,
  type Batch,
  type Dataset,
  type HostArray,
} from '../tensor/host-array.ts';
import { formatShape, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { checkBatch, type SampleArrays } from '../training/check-batch.ts';

/**
 * How many samples the arrays have.
 *
 * @throws ConvbaseError `dataset/empty`, `array/type`, `array/shape`, `batch/length`, `labels/shape`, `labels/weights`
 */
export function countSamples(arrays: SampleArrays, where: string): number {
  const [first] = inputsOf(arrays);
  if (Array.isArray(first?.shape) && first.shape[0] === 0) {
    throw new ConvbaseError(
      'dataset/empty',
      `there are no samples in an array of shape ${formatShape(first.shape)}`,
      {
        where,
        fix: 'Give at least one sample.',
      },
    );
  }
  checkBatch(arrays, where);
  const count = first?.shape[0] ?? 0;
  const { sampleWeight } = arrays;
  if (sampleWeight !== undefined && sizeOf(sampleWeight.shape) !== count) {
    throw new ConvbaseError('labels/weights', `${sizeOf(sampleWeight.shape)} weights for ${count} samples`, {
      where,
      fix: 'Give one weight for each sample.',
    });
  }
  return count;
}

/** Arrays in batches of consecutive rows, without copying them. Tensors are read when the first batch is asked for. */
export function slices(arrays: SampleArrays, batchSize: number, where: string): Dataset {
  checkBatchSize(batchSize, where);
  const count = countSamples(arrays, where);
  const read = reading(arrays);
  return {
    batchCount: Math.ceil(count / batchSize),
    sampleCount: count,
    async *batches(_epoch, first = 0): AsyncGenerator<Batch> {
      const { x, y, sampleWeight } = await read();
      for (let from = first * batchSize; from < count; from += batchSize) {
        const rows = (array: HostArray): HostArray => rowsOf(array, from, Math.min(batchSize, count - from));
        yield {
          x: inputsOf({ x }).map(rows),
          ...(y && { y: rows(y) }),
          ...(sampleWeight && { sampleWeight: rows(sampleWeight) }),
        };
      }
    },
  };
}

/** Throws `batches/size` for what is no number of samples. */
export function checkBatchSize(batchSize: number, where: string): void {
  if (Number.isSafeInteger(batchSize) && batchSize >= 1) return;
  throw new ConvbaseError('batches/size', `batchSize ${batchSize} is no number of samples`, {
    where,
    fix: 'Give a whole number, 1 or more.',
  });
}

/** The same arrays in main memory, where they are brought once, when they are first asked for. */
export function reading({ x, y, sampleWeight }: SampleArrays): () => Promise<SampleArrays<HostArray>> {
  let arrays: Promise<SampleArrays<HostArray>> | undefined;
  const read = async (): Promise<SampleArrays<HostArray>> => ({
    x: isOneArray(x) ? await toHost(x) : await Promise.all(x.map(toHost)),
    ...(y && { y: await toHost(y) }),
    ...(sampleWeight && { sampleWeight: await toHost(sampleWeight) }),
  });
  return () => (arrays ??= read());
}

/** An array's numbers; class indices (int32) become floats, which hold them exactly up to 2^24. */
async function toHost(array: ArrayInput): Promise<HostArray> {
  if (!(array instanceof Tensor)) return array;
  const { gpu, shape, size, dtype } = array;
  if (dtype === 'float32') return { data: await array.data(), shape };
  if (dtype === 'float16') {
    const wide = cast(array, 'float32');
    const data = wide.data();
    wide.dispose();
    return { data: await data, shape };
  }
  const bytes = dtype === 'int32' ? 4 * size : Math.ceil(size / 4) * 4;
  const [buffer = new ArrayBuffer(bytes)] = await gpu.readAll([{ buffer: array.buffer, bytes }]);
  const data =
    dtype === 'int32' ? Float32Array.from(new Int32Array(buffer)) : new Uint8Array(buffer, 0, size);
  return { data, shape };
}
