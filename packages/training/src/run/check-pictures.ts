import { pictureBatches, type PictureSet } from '@convbase/data';
import type { RunContext } from './context.ts';
import { batchOptions } from './pictures.ts';

/** Sets of a run whose pictures were all opened once. */
const checked = new WeakSet<PictureSet>();

/**
 * Opens every picture that a stage trains on, validates and tests with before anything is computed, so that one that
 * cannot be read ends a run at its beginning and not after an hour. What is opened is kept in memory as far as it fits,
 * so that it need not be opened again soon after.
 *
 * Nothing to do where pictures that cannot be read are left out (those are found when the run begins), for MNIST (whose
 * two files are read whole), and for sets that were opened by an earlier run.
 *
 * @param known whether an earlier run opened all pictures of a set
 * @throws the PictureError of the first picture that cannot be read
 */
export async function checkPictures(
  { recipe, pictures, observer, signal, memory }: RunContext,
  known: (set: PictureSet) => Promise<boolean>,
): Promise<void> {
  const { data } = recipe;
  if (data.onBadImage === 'skip' || data.kind === 'mnist') return;
  const sets: PictureSet[] = [];
  for (const set of new Set([pictures.train, pictures.validation, pictures.test])) {
    if (set === undefined || checked.has(set)) continue;
    if (await known(set)) checked.add(set);
    else sets.push(set);
  }
  const total = sets.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  for (const set of sets) {
    const opened = pictureBatches(set, { ...batchOptions(data, signal), memory });
    for await (const { indices } of opened.batches(0)) {
      done += indices.length;
      observer.count?.('pictures opened', done, total);
    }
    checked.add(set);
  }
}
