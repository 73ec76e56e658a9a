import { ConvbaseError, Random, shuffledIndices } from '@convbase/base';

/** A value that is made when it is asked for, so that what is skipped or only put in order costs nothing. */
export type Lazy<T> = () => T | Promise<T>;

/** The elements of one epoch after another. */
export interface Elements<T> {
  /** Those of an epoch from number `first` on: a function of the two numbers alone. */
  read(epoch: number, first: number): AsyncIterable<Lazy<T>>;
  /** How many an epoch has; undefined where only reading tells. */
  readonly count: number | undefined;
}

/** Something done to each element. `change` is told the element and nothing else, and may be called in any order. */
export function mapped<T, U>(source: Elements<T>, change: (element: T) => U | Promise<U>): Elements<U> {
  if (typeof change !== 'function') {
    throw new ConvbaseError('dataset/function', 'there is no function to change the elements with', {
      where: 'map',
      fix: 'Give map a function of one element.',
    });
  }
  return {
    count: source.count,
    async *read(epoch, first) {
      for await (const make of source.read(epoch, first)) yield async () => change(await make());
    },
  };
}

/** The first `count` elements. */
export function taken<T>(source: Elements<T>, count: number): Elements<T> {
  checkWhole(count, 'take', 0);
  return {
    count: source.count === undefined ? undefined : Math.min(count, source.count),
    async *read(epoch, first) {
      let left = count - first;
      if (left <= 0) return;
      for await (const make of source.read(epoch, first)) {
        yield make;
        if (--left === 0) return;
      }
    },
  };
}

/** All but the first `count` elements. */
export function skipped<T>(source: Elements<T>, count: number): Elements<T> {
  checkWhole(count, 'skip', 0);
  return {
    count: source.count === undefined ? undefined : Math.max(0, source.count - count),
    read: (epoch, first) => source.read(epoch, first + count),
  };
}

/**
 * The elements in another order, which the seed and the epoch decide (the seed alone, without `reshuffle`). A buffer that
 * holds all of them gives every order with the same chance; a smaller one is filled with the first elements, and each
 * element that is drawn from it makes room for the next, as in tf.data.
 */
export function shuffled<T>(
  source: Elements<T>,
  bufferSize: number,
  seed: number,
  reshuffle: boolean,
): Elements<T> {
  if (bufferSize !== Infinity) checkWhole(bufferSize, 'shuffle: bufferSize', 1);
  checkWhole(seed, 'shuffle: seed', -Number.MAX_SAFE_INTEGER);
  return {
    count: source.count,
    async *read(epoch, first) {
      let number = 0;
      for await (const make of inOrder(source.read(epoch, 0), bufferSize, [seed, reshuffle ? epoch : 0])) {
        if (number++ >= first) yield make;
      }
    },
  };
}

async function* inOrder<T>(
  source: AsyncIterable<T>,
  bufferSize: number,
  seeds: readonly number[],
): AsyncGenerator<T> {
  const random = new Random(...seeds);
  const buffer: T[] = [];
  /** Takes one of the buffer; its place goes to `next`, or to the last, for the buffer to shrink. */
  const draw = (next?: { readonly value: T }): T => {
    const place = random.below(buffer.length);
    const drawn = buffer[place] as T;
    const other = next ?? { value: buffer.pop() as T };
    if (place < buffer.length) buffer[place] = other.value;
    return drawn;
  };
  let overflowed = false;
  for await (const value of source) {
    if (buffer.length < bufferSize) {
      buffer.push(value);
      continue;
    }
    overflowed = true;
    yield draw({ value });
  }
  if (!overflowed) {
    for (const place of shuffledIndices(buffer.length, ...seeds)) yield buffer[place] as T;
    return;
  }
  while (buffer.length > 0) yield draw();
}

/** Throws `dataset/count` for what is no whole number of at least `least`. */
export function checkWhole(value: number, where: string, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ConvbaseError('dataset/count', `${String(value)} is no number that can be used here`, {
    where,
    fix: `Give a whole number${least > -1 ? `, ${least} or more` : ''}.`,
  });
}
