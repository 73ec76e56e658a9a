import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ConvbaseError } from '../errors.ts';
import {
  absolute,
  linkStatusOf,
  listIfThere,
  makeFolder,
  makeOwnFolder,
  remove,
  removeFile,
  rename,
  statusOf,
  WritableFile,
} from './file-operations.ts';
import { isNobodys, isRunning, nobodysName, ownerOf, ownName } from './process-identity.ts';

/** How long what nobody can be asked about must have been left alone to count as abandoned. */
const ABANDONED_MS = 10 * 60_000;

/** A file name has 255 bytes on most systems, of which ours takes some 50. */
const MAX_NAME_BYTES = 160;

/**
 * A path beside `path` for what is to become it: `<name>.<owner>.partial`, of this process alone. What a dead process
 * left under such a name is removed by whoever next writes the same path (`removeLeftovers`).
 */
export function temporaryPath(path: string): string {
  return join(dirname(path), `${stem(path)}.${ownName()}.partial`);
}

/** The same for what this process leaves to whoever wants to go on with it. */
export function abandonedPath(path: string): string {
  return join(dirname(path), `${stem(path)}.${nobodysName()}.partial`);
}

/** Makes an empty folder of this process alone beside `path`, and removes what dead processes left of such folders. */
export async function temporaryFolder(path: string): Promise<string> {
  await removeLeftovers(path);
  const folder = temporaryPath(path);
  await makeFolder(folder);
  return folder;
}

/** Makes an empty folder where the system keeps temporary files (`TMPDIR`). */
export async function systemTemporaryFolder(name: string): Promise<string> {
  return makeOwnFolder(join(tmpdir(), `${name}-`));
}

/**
 * Refuses a place where no file or folder can be made, before hours are spent on what is to lie there. Nothing stays.
 *
 * @param path need not exist, nor the folders it lies in
 */
export async function checkPlace(path: string): Promise<void> {
  let folder = absolute(path);
  let status = await statusOf(folder);
  // A file can be written anew.
  if (status?.isFile() === true) folder = dirname(folder);
  for (; status === undefined; status = await statusOf(folder)) folder = dirname(folder);
  const trial = join(folder, '.convbase');
  await removeLeftovers(trial);
  const own = temporaryPath(trial);
  await (await WritableFile.open(own, 'new', path)).close();
  await removeFile(own);
}

/** Whether whoever a temporary name belongs to has left it, last changed at `changed`, to others. */
export function isAbandoned(name: string, changed: Date): boolean {
  const belongs = name.split('.').at(-2) ?? '';
  if (isNobodys(belongs)) return true;
  const owner = ownerOf(belongs);
  const runs = owner === undefined ? undefined : isRunning(owner);
  return runs === undefined ? Date.now() - changed.getTime() > ABANDONED_MS : !runs;
}

/** Folders in which this process has looked for left-overs of a path already: what is listed once is not listed again. */
const cleaned = new Set<string>();

/** Removes what dead processes left half-made of a path, once in the life of this process. */
export async function removeLeftovers(path: string): Promise<void> {
  if (cleaned.has(path)) return;
  cleaned.add(path);
  const prefix = `${stem(path)}.`;
  await removeAbandoned(dirname(path), (name) => name.startsWith(prefix) && isTemporaryName(name));
}

/**
 * Removes the half-made files and folders of dead processes in a folder.
 *
 * @param wanted which of the names that end in `.partial`; default: those of any path
 */
export async function removeAbandoned(
  folder: string,
  wanted: (name: string) => boolean = isTemporaryName,
): Promise<void> {
  for (const name of await listIfThere(folder)) {
    if (!name.endsWith('.partial') || !wanted(name)) continue;
    const path = join(folder, name);
    const status = await linkStatusOf(path);
    if (status !== undefined && isAbandoned(name, status.mtime)) await unlessDenied(() => remove(path));
  }
}

/** What another user's processes left is that user's to remove. */
async function unlessDenied(removal: () => Promise<void>): Promise<void> {
  try {
    await removal();
  } catch (error) {
    if (!(error instanceof ConvbaseError && ['file/denied', 'file/read-only'].includes(error.code)))
      throw error;
  }
}

/**
 * Removes a file or folder so that it is there whole or not at all, whenever the process is killed: what is left of it then
 * has a temporary name.
 *
 * @param as what that name begins with, where what begins with the path's own is of use to others
 */
export async function removeAtOnce(path: string, as = path): Promise<void> {
  if ((await linkStatusOf(path)) === undefined) return;
  const aside = temporaryPath(as);
  await rename(path, aside);
  await remove(aside);
}

/** Whether a name is one of `temporaryPath` or `abandonedPath`; those of resumable files say nothing of an owner. */
export function isTemporaryName(name: string): boolean {
  const belongs = name.split('.').at(-2) ?? '';
  return name.endsWith('.partial') && (isNobodys(belongs) || ownerOf(belongs) !== undefined);
}

/** The name of a path, or what stands for one that is too long to have anything behind it. */
function stem(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}
