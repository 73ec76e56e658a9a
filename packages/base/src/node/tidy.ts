import { join } from 'node:path';
import { ConvbaseError } from '../errors.ts';
import { listIfThere } from './file-operations.ts';
import { isLockName, removeDeadLock } from './lock.ts';
import { removeAbandoned } from './temporary.ts';

/** What tidying may meet without any trouble to who has what it came for. */
export const HARMLESS: ReadonlySet<string> = new Set([
  'file/locked',
  'file/denied',
  'file/read-only',
  'disk/full',
  'file/io',
]);

/**
 * Removes from a folder of the cache what dead processes left there: half-made files and folders, and locks. Nothing is
 * done in the folder of another user, whose processes do it.
 */
export async function tidyFolder(folder: string): Promise<void> {
  try {
    await removeAbandoned(folder);
    for (const name of await listIfThere(folder)) {
      if (isLockName(name)) await removeDeadLock(join(folder, name));
    }
  } catch (error) {
    if (!(error instanceof ConvbaseError && HARMLESS.has(error.code))) throw error;
  }
}
