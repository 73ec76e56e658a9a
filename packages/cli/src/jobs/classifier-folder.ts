import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import {
  checkPlace,
  isLockName,
  isTemporaryName,
  listFolder,
  listIfThere,
  LOCK_FILE,
  refuseLocked,
  statusOf,
} from '@convbase/base/node';
import { Classifier } from '@convbase/models';

/** Where, in the folder of the classifier to be, the features of pictures are kept until it is trained. */
export const SCRATCH = 'features.partial';

/** What may be in the folder already: an earlier classifier, and what a killed training left. */
const OWN = /^(features\.partial|classifier\.json|head(-[0-9a-f]{12})?\.safetensors)/;

/** Refuses a place for the classifier before hours are spent on it, rather than after. */
export async function checkClassifierFolder(out: string): Promise<void> {
  const refuse = (what: string): never => {
    throw new ConvbaseError('folder/in-the-way', what, {
      where: out,
      fix: 'Give the classifier a folder of its own, which need not exist yet.',
    });
  };
  const there = await statusOf(out);
  if (there?.isDirectory() !== false) await checkPlace(out);
  if (!there) return;
  if (!there.isDirectory()) refuse('it is a file');
  const isOurs = (name: string): boolean => OWN.test(name) || isLockName(name) || isTemporaryName(name);
  const other = (await listFolder(out)).find((name) => !isOurs(name));
  if (other !== undefined) refuse(`it holds other things, such as ${other}`);
}

/**
 * Refuses a folder where a lock that is met only later, when features are kept or the classifier is saved, cannot be
 * taken: a process of another machine or container may have left it.
 */
export async function refuseLockedWithin(out: string): Promise<void> {
  await Classifier.checkFolder(out);
  const scratch = join(out, SCRATCH);
  for (const group of await listIfThere(scratch)) {
    for (const name of await listIfThere(join(scratch, group))) {
      const folder = join(scratch, group, name);
      await refuseLocked(join(folder, LOCK_FILE), folder);
    }
  }
}
