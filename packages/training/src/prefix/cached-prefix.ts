import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { cacheFolder, fileError, freeBytes, isFolder, makeFolder, touch } from '@convbase/base/node';
import { encodeLabels, epochOrder, labelEncoding, resize, type PictureDataset } from '@convbase/data';
import type { Batch, HostArray, InputMeter, Model } from '@convbase/layers';
import { bytesPerPicture, computePrefix, NotKept, pictureShape } from './compute.ts';
import { prefixKey } from './key.ts';
import { prefixFiles } from './manifest.ts';
import { openRows, type PrefixRows } from './rows.ts';
import { removeOutputs, tidy } from './tidy.ts';

export interface PrefixCacheOptions {
  /** Where outputs are kept; default `prefix/` in convbase's cache folder. */
  readonly folder?: string;
  /** How many bytes of outputs may be held in memory; more are read from disk batch by batch. Default 1 GiB. */
  readonly memoryBytes?: number;
  /**
   * How many bytes of outputs may be on disk, beyond which those unused for longest go; never more than is free.
   * Default 20 GiB.
   */
  readonly diskBytes?: number;
  /** How many pictures are computed at once, whatever the size of the batches for training. Default 32. */
  readonly batchSize?: number;
  /** Pictures done, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Told in one line why outputs are not kept, where they cannot be. */
  readonly onWarning?: (line: string) => void;
  /** Told what is waited for while outputs are computed. */
  readonly meter?: InputMeter;
}

/** Pictures that are computed at once. */
const BATCH = 32;

/** What was done, and what every epoch saves by it. */
export interface PrefixReport {
  /** Pictures with outputs. */
  readonly rows: number;
  /** How many of them were computed now, and how many found on disk. */
  readonly computed: number;
  readonly found: number;
  /** Names of pictures that could not be read and are left out. */
  readonly skipped: readonly string[];
  /** Where batches come from; nowhere when there is no room, so that each is computed when its turn comes. */
  readonly kept: 'memory' | 'disk' | 'nowhere';
  /** What all outputs take, or would take. */
  readonly bytes: number;
  /** What opening or computing took. */
  readonly seconds: number;
  /** Multiplications and additions that an epoch is spared (see `Layer.flops`). */
  readonly flopsPerEpoch: number;
  /** What was wrong with outputs that were found and had to be computed anew. */
  readonly damaged: string | undefined;
}

/** The prefix' outputs as a dataset for the suffix: the batches that the pictures would have given. */
export interface CachedPrefix {
  /** In the order of the pictures' own dataset, epoch by epoch; one array, or one for each of the suffix' inputs. */
  batches(
    epoch: number,
    first?: number,
  ): AsyncGenerator<Batch & { readonly y: HostArray; readonly indices: readonly number[] }, void, undefined>;
  readonly sampleCount: number;
  readonly batchCount: number;
  readonly report: PrefixReport;
  /** Lets go of the files and the memory. */
  close(): Promise<void>;
}

/**
 * Computes the outputs of a frozen prefix once for all pictures, or finds them where an earlier run left them.
 *
 * They are kept on disk under a key that covers all they depend on, and held in memory as far as they fit. A run that
 * was stopped goes on where it was; several runs may share the folder; damaged files are computed anew. Where there is
 * no room for them, or the disk takes no more or cannot be written to, nothing is kept, and each batch goes through the
 * prefix when its turn comes.
 *
 * @param prefix of `splitFrozen`, on its GPU
 * @param pictures as they would be given to the whole model, without augmentation
 * @throws ConvbaseError `run/aborted`, those of reading the pictures
 */
export async function cachedPrefix(
  prefix: Model,
  pictures: PictureDataset,
  options: PrefixCacheOptions = {},
): Promise<CachedPrefix> {
  const {
    memoryBytes = 2 ** 30,
    diskBytes = 20 * 2 ** 30,
    batchSize = BATCH,
    onProgress,
    signal,
    meter,
    onWarning,
  } = options;
  const root = options.folder ?? join(cacheFolder(), 'prefix');
  const begin = performance.now();
  const known = await prefixKey(prefix, pictures, batchSize);
  // What cannot be recognised again is of use to this run only.
  const key = known ?? `unnamed-${randomUUID()}`;
  const folder = join(root, key);
  let computed = 0;
  const compute = async (): Promise<PrefixRows> => {
    computed = await computePrefix(prefix, pictures, root, key, { batchSize, onProgress, signal, meter });
    await unlessSystem(() => tidy(root, key, diskBytes), onWarning);
    const { rows, damaged: problem } = await findRows(root, key, memoryBytes);
    if (rows === undefined) throw new NotKept(problem ?? `${folder}: another process removed it`);
    return rows;
  };

  const shape = pictureShape(prefix, pictures);
  const bytes = pictures.set.length * bytesPerPicture(prefix, shape);
  let rows: PrefixRows;
  let damaged: string | undefined;
  try {
    const found = await findRows(root, key, memoryBytes);
    ({ damaged } = found);
    if (found.rows === undefined && bytes > (await room(root, diskBytes))) {
      return eachTime(prefix, pictures, bytes, damaged, meter);
    }
    rows = found.rows ?? (await compute());
  } catch (error) {
    if (!(error instanceof NotKept)) throw error;
    onWarning?.(
      `outputs of frozen layers cannot be kept, so they are computed in every epoch: ${error.message}`,
    );
    return eachTime(prefix, pictures, bytes, damaged, meter);
  }
  await refuseBad(rows, pictures);
  const report: PrefixReport = {
    rows: rows.manifest.rows,
    computed,
    found: rows.manifest.rows - computed,
    skipped: rows.manifest.skipped.map(({ name }) => name),
    kept: rows.kept,
    bytes: rows.bytes,
    seconds: (performance.now() - begin) / 1000,
    flopsPerEpoch: rows.manifest.rows * prefix.flops([[1, ...shape]]),
    damaged,
  };
  const close = async (): Promise<void> => {
    await rows.close();
    if (known === undefined) await removeOutputs(root, key);
  };
  return { ...batchesOf(rows, pictures), report, close };
}

/**
 * Whether an earlier run left the outputs for these pictures, which nobody has looked into yet.
 *
 * @param options those that `cachedPrefix` is given
 */
export async function hasPrefixOutputs(
  prefix: Model,
  pictures: PictureDataset,
  { folder = join(cacheFolder(), 'prefix'), batchSize = BATCH }: PrefixCacheOptions = {},
): Promise<boolean> {
  const key = await prefixKey(prefix, pictures, batchSize);
  return key !== undefined && (await isThere(join(folder, key)));
}

/** A cache that nobody may look into is an empty one. */
async function isThere(folder: string): Promise<boolean> {
  try {
    return await isFolder(folder);
  } catch (error) {
    if (!isSystem(error)) throw error;
    return false;
  }
}

function isSystem(error: unknown): error is ConvbaseError {
  return error instanceof ConvbaseError && /^(disk|file)\//.test(error.code);
}

/** How many bytes may be written there. Throws `NotKept`. */
async function room(root: string, diskBytes: number): Promise<number> {
  try {
    await makeFolder(root);
    return Math.min(diskBytes, await freeBytes(root));
  } catch (error) {
    const { message } = fileError(error, root, 'cannot keep outputs there');
    throw new NotKept(message, { cause: error });
  }
}

/** Does what is of no use to this run, where the system lets it. */
async function unlessSystem(work: () => Promise<void>, onWarning?: (line: string) => void): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isSystem(error)) throw error;
    onWarning?.(`the cache of frozen layers could not be tidied up: ${error.message}`);
  }
}

/** The same dataset with nothing kept. */
function eachTime(
  prefix: Model,
  pictures: PictureDataset,
  bytes: number,
  damaged: string | undefined,
  meter: InputMeter | undefined,
): CachedPrefix {
  return {
    get sampleCount() {
      return pictures.sampleCount;
    },
    get batchCount() {
      return pictures.batchCount;
    },
    async *batches(epoch, first) {
      for await (const batch of pictures.batches(epoch, first)) {
        const outputs = prefix.predictOnBatch(batch.x);
        // Who waits for this batch waits for the GPU.
        meter?.handed(outputs);
        yield { ...batch, x: oneOrAll(await outputs) };
      }
    },
    report: {
      rows: pictures.sampleCount,
      computed: 0,
      found: 0,
      skipped: [],
      kept: 'nowhere',
      bytes,
      seconds: 0,
      flopsPerEpoch: 0,
      damaged,
    },
    close: () => Promise.resolve(),
  };
}

/** Rows that an earlier run left, or what is wrong with them; those are removed. Throws `NotKept` where they cannot be. */
async function findRows(
  root: string,
  key: string,
  memoryBytes: number,
): Promise<{ rows?: PrefixRows; damaged?: string }> {
  const folder = join(root, key);
  if (!(await isThere(folder))) return {};
  let rows: PrefixRows;
  try {
    rows = await openRows(folder, key, memoryBytes);
  } catch (error) {
    if (!(error instanceof ConvbaseError) || !isDamage(error.code)) {
      // The system says it now, and may say otherwise the next time: what is there stays.
      throw isSystem(error) ? new NotKept(error.message, { cause: error }) : error;
    }
    try {
      await removeOutputs(root, key);
    } catch (failure) {
      if (!isSystem(failure)) throw failure;
      throw new NotKept(failure.message, { cause: failure });
    }
    return { damaged: error.message };
  }
  // When they were last of use decides what is given up first. It is somebody else's to note in another user's folder.
  await unlessSystem(() => touch(join(folder, prefixFiles.manifest)));
  return { rows };
}

/** Whether an error says that outputs are not whole, and not that they cannot be looked at. */
function isDamage(code: string): boolean {
  return /^(prefix|npy)\/|^file\/(missing|kind|truncated|too-large)$/.test(code);
}

/** Pictures that an earlier run left out are an error to a run that wants none left out. */
async function refuseBad(rows: PrefixRows, { set, options }: PictureDataset): Promise<void> {
  const [bad] = rows.manifest.skipped;
  if (bad === undefined || options.onBadImage === 'skip') return;
  await rows.close();
  resize(await set.picture(bad.index), options.size, options.resize, bad.name);
  throw new ConvbaseError('prefix/skipped', 'an earlier run could not read the picture and left it out', {
    where: bad.name,
    fix: 'Remove the picture, or let pictures that cannot be read be skipped.',
  });
}

/** The batches that the pictures' own dataset would give, with outputs in place of pictures. */
function batchesOf(
  rows: PrefixRows,
  { set, options }: PictureDataset,
): Pick<CachedPrefix, 'batches' | 'sampleCount' | 'batchCount'> {
  const { samples } = rows;
  const { batchSize = 32, labels, signal } = options;
  const rowOf = new Map(Array.from(samples, (sample, row) => [sample, row]));
  const classCount = set.classNames.length;
  return {
    sampleCount: samples.length,
    batchCount: Math.ceil(samples.length / batchSize),
    async *batches(epoch, first = 0) {
      const order = epochOrder(set.length, options, epoch).filter((index) => rowOf.has(index));
      for (let next = first * batchSize; next < order.length; next += batchSize) {
        signal?.throwIfAborted();
        const indices = [...order.subarray(next, next + batchSize)];
        const x = await rows.read(indices.map((index) => rowOf.get(index) ?? 0));
        const numbers = indices.map((index) => set.label(index));
        yield {
          x: oneOrAll(x),
          y: encodeLabels(numbers, classCount, labels ?? labelEncoding(classCount)),
          indices,
        };
      }
    },
  };
}

/** A model with one input takes one array. */
function oneOrAll(arrays: readonly HostArray[]): Batch['x'] {
  const [only, ...more] = arrays;
  return only !== undefined && more.length === 0 ? only : arrays;
}
