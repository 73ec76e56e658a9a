import { encodeLabels, type LabelEncoding, labelEncoding } from '../batches/labels.ts';
import { shuffledIndices } from '../order/shuffle.ts';
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
  batches(epoch: number): AsyncGenerator<{
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
  const { batchSize, shuffle = false, seed = 0 } = options;
  const { featureShape, classNames } = features.manifest;
  const encoding = options.labels ?? labelEncoding(classNames.length);
  const sampleCount = features.rowCount;
  return {
    sampleCount,
    batchCount: Math.ceil(sampleCount / batchSize),
    async *batches(epoch) {
      const order = shuffle
        ? shuffledIndices(sampleCount, seed, epoch)
        : Uint32Array.from({ length: sampleCount }, (_, i) => i);
      for (let first = 0; first < sampleCount; first += batchSize) {
        const rows = order.subarray(first, first + batchSize);
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
