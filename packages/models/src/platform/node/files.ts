import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConvbaseError } from '@convbase/base';
import {
  isFile,
  listEntries,
  listFolder,
  readBounded,
  refuseLocked,
  removeAbandoned,
  removeFile,
  withLock,
  withNewFolders,
} from '@convbase/base/node';

/** Writes a file as a whole or not at all; makes the folders it lies in. */
export { refuseExisting, writeFileAtomic as saveFile } from '@convbase/base/node';

/** How deep `listFiles` looks. */
const MAX_DEPTH = 4;

/** The files below a folder whose names end like this, by their paths below it with `/`, sorted by code unit. */
export async function listFiles(folder: string, ending: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    for (const entry of await listEntries(path)) {
      const full = join(path, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH) await visit(full, depth + 1);
      else if (entry.name.endsWith(ending)) found.push(relative(folder, full).split(sep).join('/'));
    }
  };
  await visit(folder, 0);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

/** Saves at `path`, keeps others from it meanwhile, and removes what dead processes left half-made beside it. */
export function withSaveLock(path: string, save: () => Promise<void>): Promise<void> {
  return withNewFolders(dirname(path), () =>
    withLock(saveLockOf(path), path, {}, async () => {
      await removeAbandoned(dirname(path));
      await save();
    }),
  );
}

/** Refuses a place where `withSaveLock` would be refused, before there is something to save. */
export function checkSaveLock(path: string): Promise<void> {
  return refuseLocked(saveLockOf(path), path);
}

function saveLockOf(path: string): string {
  return `${path}.lock`;
}

/** Room for the graph of any model. */
const MAX_TEXT_BYTES = 2 ** 28;

/**
 * The texts of the other files in a file's folder whose names end like this; undefined where one of them cannot be read, or
 * is too large to be a model's.
 */
export async function otherTexts(path: string, ending: string): Promise<string[] | undefined> {
  const texts: string[] = [];
  for (const name of await listFolder(dirname(path))) {
    const other = join(dirname(path), name);
    if (name === basename(path) || !name.endsWith(ending)) continue;
    try {
      if (!(await isFile(other))) continue;
      texts.push((await readBounded(other, MAX_TEXT_BYTES)).toString());
    } catch (error) {
      if (error instanceof ConvbaseError) return undefined;
      throw error;
    }
  }
  return texts;
}

/** Removes files in a file's folder by their names. */
export async function removeBeside(path: string, wanted: (name: string) => boolean): Promise<void> {
  for (const name of await listFolder(dirname(path))) {
    if (wanted(name)) await removeFile(join(dirname(path), name));
  }
}

/** Where the files of expected values that ship with the package lie. */
export function shippedGolden(): string {
  return fileURLToPath(new URL('../../../fixtures/golden', import.meta.url));
}
