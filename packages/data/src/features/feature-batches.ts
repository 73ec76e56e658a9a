import { ConvbaseError } from '@convbase/base';
import { encodeLabels, type LabelEncoding, labelEncoding } from '../batches/labels.ts';
import { epochOrder } from '../batches/picture-batches.ts';
import type { Features } from './features.ts';

export interface FeatureBatchOptions {
  readonly batchSize: number;
  /** A new order in every epoch, by `seed` and the epoch's number alone. Off: as extracted. */
  readonly shuffle?: boolean;
  readonly seed?: number;
  readonly labels?: LabelEncoding;
}

/** A dataset of features with their labels. */
export interface FeatureDataset {
  /** The batches of an epoch; those before the number `first`, counted from 0, are left out. */
  batches(
    epoch: number,
    first?: number,
  ): AsyncGenerator<{
    /** `[n, ...featureShape]` */
    readonly x: { readonly data: Float32Array; readonly shape: number[] };
    /** `[n, 1]` for two classes, `[n, classes]` one-hot otherwise. */
    readonly y: { readonly data: Float32Array; readonly shape: number[] };
  }>;
  readonly sampleCount: number;
  readonly batchCount: number;
}

/** Batches of extracted features, read from their folders as they are needed. */
export function featureBatches(features: Features, options: FeatureBatchOptions): FeatureDataset {
  const { batchSize } = options;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new ConvbaseError('batches/size', `batchSize ${batchSize} is no number of samples`, {
      fix: 'Give a whole number from 1.',
    });
  }
  const { featureShape, classNames } = features.manifest;
  const encoding = options.labels ?? labelEncoding(classNames.length);
  const sampleCount = features.rowCount;
  return {
    sampleCount,
    batchCount: Math.ceil(sampleCount / batchSize),
    async *batches(epoch, first = 0) {
      const order = epochOrder(sampleCount, options, epoch);
      for (let next = first * batchSize; next < sampleCount; next += batchSize) {
        const rows = order.subarray(next, next + batchSize);
        const data = await features.rows(rows);
        const labels = Array.from(rows, (row) => features.labels[row] ?? 0);
        yield {
          x: { data, shape: [rows.length, ...featureShape] },
          y: encodeLabels(labels, classNames.length, encoding),
        };
      }
    },
  };
}
