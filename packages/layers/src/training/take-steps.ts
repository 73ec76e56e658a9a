import { ConvbaseError } from '@convbase/base';
import { batchesOf } from '../tensor/batches-of.ts';
import type { Batch, Dataset } from '../tensor/host-array.ts';

/**
 * A dataset whose epochs have `steps` batches and go on through the data pass after pass, as with Keras'
 * `steps_per_epoch`: each epoch begins where the one before it ended, and the given dataset's own epoch is the number
 * of the pass. Which batches an epoch has follows from its number alone.
 *
 * The dataset has to know its `batchCount` (what it says at first is taken): `dataset/length`.
 */
export function takeSteps(dataset: Dataset, steps: number): Dataset {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new ConvbaseError('dataset/steps', `an epoch cannot have ${steps} steps`, {
      fix: 'Give a whole number of batches, 1 or more.',
    });
  }
  let length: number | undefined;
  return {
    batchCount: steps,
    async *batches(epoch, first = 0): AsyncGenerator<Batch> {
      const perPass = (length ??= lengthOf(dataset));
      const end = (epoch + 1) * steps;
      let next = epoch * steps + first;
      while (next < end) {
        const pass = Math.floor(next / perPass);
        const passEnd = Math.min(end, (pass + 1) * perPass);
        for await (const batch of batchesOf(dataset, pass, next % perPass)) {
          yield batch;
          next++;
          if (next === passEnd) break;
        }
        if (next < passEnd) {
          throw new ConvbaseError(
            'dataset/length',
            `the dataset ended after ${next % perPass} of its ${perPass} batches`,
            { fix: 'Leave out what cannot be read before training, so that the number of batches is known.' },
          );
        }
      }
    },
  };
}

function lengthOf({ batchCount }: Dataset): number {
  if (batchCount !== undefined && Number.isSafeInteger(batchCount) && batchCount > 0) return batchCount;
  throw new ConvbaseError('dataset/length', 'a number of steps needs a dataset that knows its own', {
    fix: 'Give the dataset a batchCount.',
  });
}
