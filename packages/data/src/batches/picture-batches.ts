import { ConvbaseError, shuffledIndices } from '@convbase/base';
import { PictureError } from '../decode/picture-error.ts';
import { decodingThreads } from '../decode/threads.ts';
import type { PictureMemory } from '../memory/picture-memory.ts';
import type { Picture, PictureSize } from '../picture/picture.ts';
import type { PictureSet } from '../picture/picture-set.ts';
import { resizeAside } from '../resize/resize-pool.ts';
import type { ResizeMode } from '../resize/resize.ts';
import { batchesAhead, loadAhead } from './ahead.ts';
import { encodeLabels, type LabelEncoding, labelEncoding } from './labels.ts';

/** How a model turns the bytes 0..255 into floats; done on the GPU, here only passed on. */
export type Preprocess = 'caffe' | 'tf' | 'rescale' | 'none';

export interface PictureBatch {
  /** `[n, height, width, 3]`, RGB. */
  readonly x: { data: Uint8Array; shape: number[]; preprocess?: Preprocess };
  /** `[n, 1]` for two classes, `[n, classes]` one-hot otherwise. */
  readonly y: { data: Float32Array; shape: number[] };
  /** The place in the set of each picture. */
  readonly indices: readonly number[];
}

/** Pictures as batches, to be read once per epoch. */
export interface PictureDataset {
  /** What the batches are made of, and how. */
  readonly set: PictureSet;
  readonly options: PictureBatchOptions;
  /** The batches of an epoch; those before the number `first`, counted from 0, are left out. */
  batches(epoch: number, first?: number): AsyncGenerator<PictureBatch, void, undefined>;
  /** Pictures per epoch, those found to be bad so far not counted. */
  readonly sampleCount: number;
  readonly batchCount: number;
  /** The bad pictures found so far, by their place in the set. */
  readonly bad: ReadonlyMap<number, PictureError>;
}

export interface PictureBatchOptions {
  readonly size: PictureSize;
  readonly batchSize?: number;
  readonly resize?: ResizeMode;
  readonly preprocess?: Preprocess;
  /** A new order in every epoch, by `seed` and the epoch's number alone. Off: the set's own order. */
  readonly shuffle?: boolean;
  readonly seed?: number;
  readonly labels?: LabelEncoding;
  /** What to do with a picture that cannot be decoded: stop with its error (default), or leave it out. */
  readonly onBadImage?: 'refuse' | 'skip';
  /** Told once of every picture that is left out. */
  readonly onSkip?: (error: PictureError, index: number) => void;
  /** No error where not one picture can be used: there are others, which are done already. */
  readonly allowNone?: boolean;
  /** How many batches are made ready ahead of the reader; default as many as take 256 MiB, from 1 to 8. */
  readonly prefetch?: number;
  /** How many pictures are decoded at once; default a few more than `decodingThreads()`, so that none ever waits. */
  readonly decoders?: number;
  /** Where to keep resized pictures for later epochs; default nowhere. */
  readonly memory?: PictureMemory;
  readonly signal?: AbortSignal;
}

/** 2 GiB, and four times that on the GPU, where each byte becomes a float. */
const MAX_BATCH_BYTES = 2 ** 31;

/** While the thread that decoded a picture waits to be given another one, the next is at hand. */
const SPARE_DECODERS = 2;

/**
 * Batches of decoded and resized pictures with their labels, prepared ahead of the reader.
 *
 * Decoding happens on libuv's worker threads (sharp), and resizing by other threads where there are cores to spare; the
 * calling thread copies, and on small machines resizes. In memory are at most `prefetch` batches of resized pictures
 * besides the one being read, `decoders` pictures of full size, and what `memory` keeps. No picture is begun while 1 GiB
 * of others, in the whole process, are being decoded by sharp or wait for a thread to resize them. The last batch of an
 * epoch may be smaller. Stopping early and aborting end all work before the loop is left.
 *
 * Errors: `data/batch-size` for batches that no memory holds; while reading, the PictureError of the first bad picture
 * unless they are skipped; `data/all-bad` if all are (but see `allowNone`).
 */
export function pictureBatches(set: PictureSet, options: PictureBatchOptions): PictureDataset {
  const batchSize = options.batchSize ?? 32;
  const { prefetch: given = 0, decoders = 1 } = options;
  for (const [name, value, least] of [
    ['batchSize', batchSize, 1],
    ['prefetch', given, 0],
    ['decoders', decoders, 1],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new ConvbaseError('batches/size', `${name} cannot be ${value}`, {
      fix: `Give a whole number from ${least}.`,
    });
  }
  const { height, width } = options.size;
  const batchBytes = Math.min(batchSize, set.length) * height * width * 3;
  if (batchBytes > MAX_BATCH_BYTES) {
    throw new ConvbaseError('data/batch-size', `a batch of such pictures takes ${batchBytes} bytes`, {
      where: `${height} x ${width} pictures`,
      fix: 'Use smaller pictures or a smaller batch.',
    });
  }
  const bad = new Map<number, PictureError>();
  const kept = options.memory?.of(set, options.size, options.resize);
  const prefetch = options.prefetch ?? batchesAhead(batchBytes);
  const concurrency = options.decoders ?? decodingThreads() + SPARE_DECODERS;

  /** The resized picture, or undefined when it is bad and bad ones are skipped. */
  const load = async (index: number): Promise<Picture | undefined> => {
    const there = kept?.get(index);
    if (there !== undefined) return there;
    const name = set.name(index);
    try {
      const picture = await resizeAside(await set.picture(index), options.size, options.resize, name);
      kept?.keep(index, picture);
      return picture;
    } catch (error) {
      if (!(error instanceof PictureError) || options.onBadImage !== 'skip') throw error;
      if (!bad.has(index)) {
        bad.set(index, error);
        options.onSkip?.(error, index);
      }
      return undefined;
    }
  };

  async function* batches(epoch: number, first = 0): AsyncGenerator<PictureBatch, void, undefined> {
    const good = epochOrder(set.length, options, epoch).filter((index) => !bad.has(index));
    const order = good.subarray(await placesOf(first * batchSize, good));
    const pictures = loadAhead(order.length, (position) => load(order[position] ?? 0), {
      ahead: batchSize * (prefetch + 1),
      concurrency,
      signal: options.signal,
    });
    let batch = new BatchBuilder(set, options, Math.min(batchSize, order.length));
    let position = 0;
    let made = 0;
    for await (const picture of pictures) {
      const index = order[position++] ?? 0;
      if (picture !== undefined) batch.add(picture, index);
      if (batch.length < batchSize) continue;
      yield batch.finish();
      made++;
      batch = new BatchBuilder(set, options, Math.min(batchSize, order.length - position));
    }
    if (batch.length > 0) yield batch.finish();
    else if (made === 0 && first === 0 && options.allowNone !== true) throw nothingLeft(set, bad);
  }

  /** How many places of an order hold this many good pictures. Which ones are bad only decoding tells. */
  async function placesOf(count: number, order: Uint32Array): Promise<number> {
    if (count === 0 || options.onBadImage !== 'skip') return count;
    let places = 0;
    let found = 0;
    for await (const picture of loadAhead(order.length, (position) => load(order[position] ?? 0), {
      ahead: batchSize,
      concurrency,
      signal: options.signal,
    })) {
      places++;
      if (picture !== undefined) found++;
      if (found === count) break;
    }
    return places;
  }

  return {
    set,
    options,
    batches,
    bad,
    get sampleCount() {
      return set.length - bad.size;
    },
    get batchCount() {
      return Math.ceil((set.length - bad.size) / batchSize);
    },
  };
}

class BatchBuilder {
  readonly #set: PictureSet;
  readonly #options: PictureBatchOptions;
  readonly #indices: number[] = [];
  readonly #data: Uint8Array;

  constructor(set: PictureSet, options: PictureBatchOptions, capacity: number) {
    this.#set = set;
    this.#options = options;
    this.#data = new Uint8Array(capacity * options.size.height * options.size.width * 3);
  }

  get length(): number {
    return this.#indices.length;
  }

  add(picture: Picture, index: number): void {
    this.#data.set(picture.data, this.length * picture.data.length);
    this.#indices.push(index);
  }

  finish(): PictureBatch {
    const { size, preprocess, labels } = this.#options;
    const shape = [this.length, size.height, size.width, 3];
    const data = this.#data.subarray(0, this.length * size.height * size.width * 3);
    const classCount = this.#set.classNames.length;
    const numbers = this.#indices.map((index) => this.#set.label(index));
    return {
      x: { data, shape, ...(preprocess === undefined ? {} : { preprocess }) },
      y: encodeLabels(numbers, classCount, labels ?? labelEncoding(classCount)),
      indices: this.#indices,
    };
  }
}

/** The order of a set's pictures in an epoch, bad ones included. */
export function epochOrder(
  count: number,
  { shuffle = false, seed = 0 }: Pick<PictureBatchOptions, 'shuffle' | 'seed'>,
  epoch: number,
): Uint32Array {
  return shuffle ? shuffledIndices(count, seed, epoch) : Uint32Array.from({ length: count }, (_, i) => i);
}

function nothingLeft(set: PictureSet, bad: ReadonlyMap<number, PictureError>): ConvbaseError {
  const first = bad.values().next().value;
  return new ConvbaseError('data/all-bad', `none of the ${set.length} pictures can be used`, {
    fix: first === undefined ? 'Give some pictures.' : `The first one: ${first.message}`.split(/\n */),
  });
}
