import { batchesOf } from './batches-of.ts';
import type { Batch, Dataset } from './host-array.ts';

/**
 * The dataset with something done to each batch, of which the epoch and its number there are told. What the dataset says
 * of its length is asked for anew each time, for it may change while it is read (bad pictures).
 */
export function mapBatches(
  dataset: Dataset,
  map: (batch: Batch, epoch: number, number: number) => Batch,
): Dataset {
  const mapped: Dataset = {
    async *batches(epoch, first = 0) {
      let number = first;
      for await (const batch of batchesOf(dataset, epoch, first)) yield map(batch, epoch, number++);
    },
  };
  for (const count of ['batchCount', 'sampleCount'] as const) {
    if (dataset[count] !== undefined) {
      Object.defineProperty(mapped, count, { get: () => dataset[count], enumerable: true });
    }
  }
  return mapped;
}
