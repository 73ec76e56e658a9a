import { ConvbaseError } from '@convbase/base';
import { nameOf, type Batch, type Dataset } from './host-array.ts';

/**
 * The batches of a dataset's epoch, each of them an object: datasets are written by others.
 *
 * @throws ConvbaseError `dataset/batches` where `batches()` gives nothing to go through, `batch/type`
 */
export async function* batchesOf(dataset: Dataset, epoch: number, first?: number): AsyncGenerator<Batch> {
  const batches: unknown = dataset.batches(epoch, first);
  if (!isIterable(batches)) {
    throw new ConvbaseError('dataset/batches', `batches() gave ${nameOf(batches)}, which has no batches`, {
      where: `epoch ${epoch + 1}`,
      fix: 'Give an array of batches, or make batches() a generator: *batches() { yield { x, y }; }.',
    });
  }
  let number = first ?? 0;
  for await (const batch of batches) {
    checkIsBatch(batch, `batch ${++number} of epoch ${epoch + 1}`);
    yield batch;
  }
}

/** Throws `batch/type` for what is no object with the inputs in `x`. */
export function checkIsBatch(batch: unknown, where: string): asserts batch is Batch {
  if (batch !== null && typeof batch === 'object' && 'x' in batch) return;
  throw new ConvbaseError('batch/type', `${nameOf(batch)} is no batch`, {
    where,
    fix: 'A batch is an object: { x, y } with arrays in both, { x } for predictions.',
  });
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    value !== null && typeof value === 'object' && (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}
