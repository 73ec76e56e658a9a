import { ConvbaseError } from '@convbase/base';
import { isOneArray, nameOf, rowsOf, type HostArray } from '../tensor/host-array.ts';
import type { SampleArrays } from '../training/check-batch.ts';
import { countSamples, reading } from './arrays.ts';
import { SampleDataset } from './datasets.ts';
import type { Sample } from './stack.ts';

/**
 * A dataset whose samples are the rows of arrays, which are not copied. Tensors are read back when the first sample is
 * asked for, and have to live until then.
 *
 * @throws ConvbaseError `dataset/empty`, `array/type`, `array/shape`, `batch/length`, `labels/shape`, `labels/weights`
 */
export function fromTensorSlices(arrays: SampleArrays): SampleDataset {
  const count = countSamples(arrays, 'fromTensorSlices');
  const read = reading(arrays);
  return new SampleDataset({
    count,
    async *read(_epoch, first) {
      const host = await read();
      for (let index = first; index < count; index++) yield () => sampleAt(host, index);
    },
  });
}

function sampleAt({ x, y, sampleWeight }: SampleArrays<HostArray>, index: number): Sample {
  return {
    x: isOneArray(x) ? rowAt(x, index) : x.map((each) => rowAt(each, index)),
    ...(y && { y: rowAt(y, index) }),
    ...(sampleWeight && { sampleWeight: sampleWeight.data[index] }),
    index,
  };
}

function rowAt(array: HostArray, index: number): HostArray {
  return { ...rowsOf(array, index, 1), shape: array.shape.slice(1) };
}

/** Gives the elements of an epoch anew in every call. */
export type ElementSource<T> = (epoch: number) => Iterable<T> | AsyncIterable<T>;

/**
 * A dataset of what a generator function yields: it is called for every epoch, with the epoch's number, and has to give
 * the same elements for the same number. A training that goes on in the middle of an epoch reads over those before.
 *
 * @throws ConvbaseError `dataset/generator` for anything but a function, and, when read, for what cannot be iterated;
 *   `dataset/one-time`, when read, where the function gives a generator that has been read before
 */
export function fromGenerator<T = Sample>(source: ElementSource<T>): SampleDataset<T> {
  if (typeof source !== 'function') {
    throw new ConvbaseError('dataset/generator', `${nameOf(source)} cannot be started anew in every epoch`, {
      where: 'fromGenerator',
      fix: 'Give the generator function itself, uncalled, or a function that calls it: () => numbers(10).',
    });
  }
  const used = new WeakSet();
  return new SampleDataset<T>({
    count: undefined,
    async *read(epoch, first) {
      const iterable = source(epoch);
      const iterator = iteratorOf(iterable);
      if (used.has(iterator)) {
        throw new ConvbaseError(
          'dataset/one-time',
          'the generator has been read already and can be read once',
          {
            where: 'fromGenerator',
            fix: 'Make a new one in every call: () => numbers(10), not () => generator.',
          },
        );
      }
      used.add(iterator);
      let number = 0;
      for await (const element of { [Symbol.asyncIterator]: () => iterator } as AsyncIterable<T>) {
        if (number++ >= first) yield () => element;
      }
    },
  });
}

function iteratorOf<T>(iterable: Iterable<T> | AsyncIterable<T>): Iterator<T> | AsyncIterator<T> {
  const made: unknown = Object(iterable);
  const given = made as Partial<Iterable<T> & AsyncIterable<T>>;
  const iterator = given[Symbol.asyncIterator]?.() ?? given[Symbol.iterator]?.();
  if (iterator !== undefined) return iterator;
  throw new ConvbaseError('dataset/generator', `${nameOf(iterable)} has no elements`, {
    where: 'fromGenerator',
    fix: 'Give a generator function, or a function that returns a list or anything else that can be iterated.',
  });
}
