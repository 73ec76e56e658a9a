import { ConvbaseError } from '@convbase/base';
import type { PictureDataset } from '@convbase/data';
import type { Batch, HostArray, Model } from '@convbase/layers';

export interface PrefixCacheOptions {
  /** Where outputs are kept; default `prefix/` in convbase's cache folder. */
  readonly folder?: string;
  /** How many bytes of outputs may be held in memory; more are read from disk batch by batch. Default 1 GiB. */
  readonly memoryBytes?: number;
  /** How many pictures are computed at once, whatever the size of the batches for training. Default 32. */
  readonly batchSize?: number;
  /** Pictures done, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What was done, and what every epoch saves by it. */
export interface PrefixReport {
  /** Pictures with outputs. */
  readonly rows: number;
  /** How many of them were computed now, and how many found on disk. */
  readonly computed: number;
  readonly found: number;
  /** Names of pictures that could not be read and are left out. */
  readonly skipped: readonly string[];
  /** Where batches come from. */
  readonly kept: 'memory' | 'disk';
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
 * was stopped goes on where it was; several runs may share the folder; damaged files are computed anew.
 *
 * @param prefix of `splitFrozen`, on its GPU
 * @param pictures as they would be given to the whole model, without augmentation
 * @throws ConvbaseError `run/aborted`, those of reading the pictures, `disk/full`, `file/...`
 */
export function cachedPrefix(
  _prefix: Model,
  _pictures: PictureDataset,
  _options: PrefixCacheOptions = {},
): Promise<CachedPrefix> {
  return Promise.reject(new ConvbaseError('file/unsupported', 'not written yet'));
}
