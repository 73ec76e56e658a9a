import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConvbaseError } from '../errors.ts';
import { cacheFolder } from './cache-folder.ts';
import { PREFIX_KEY, REMOVED } from './cache-names.ts';
import { exists, linkStatusOf, listFolder, listIfThere, remove } from './file-operations.ts';
import { isLockName, lockHolder, removeDeadLock, withLock } from './lock.ts';
import { isAbandoned, isTemporaryName, removeAtOnce } from './temporary.ts';

/** What lies in the cache: what can be fetched or computed again, what dead processes left, and what is not ours. */
export const cacheKinds = ['weights', 'npm', 'driver', 'prefix', 'tuned', 'temporary', 'unknown'] as const;
export type CacheKind = (typeof cacheKinds)[number];

/** A file or a folder that is kept, and removed, as a whole. */
export interface CacheEntry {
  readonly kind: CacheKind;
  /** Its path below the cache folder, with `/`. */
  readonly name: string;
  readonly path: string;
  /** Of all files in it. */
  readonly bytes: number;
  /** When it was last written or, as far as the system notes that, read. */
  readonly lastUsed: Date;
  /** A part of a download or a computation, with which the next one goes on. */
  readonly isUnfinished: boolean;
  /** A link: where it leads is no part of the cache. */
  readonly isLink: boolean;
  /** The process that is at work on it. */
  readonly usedBy?: string | undefined;
  /** Why not all of it could be looked at. */
  readonly problem?: string | undefined;
}

/** A folder of the cache: what lies in it, and how the names of that look. */
interface Shelf {
  readonly kind: CacheKind;
  readonly holds: 'files' | 'folders';
  readonly names: RegExp;
  /** The lock of who makes an entry. */
  readonly lock?: (name: string) => string;
}

const shelves: ReadonlyMap<string, Shelf> = new Map<string, Shelf>([
  [
    'weights',
    {
      kind: 'weights',
      holds: 'files',
      names: /^(\w+_weights_tf_dim_ordering_tf_kernels(_notop)?\.h5|imagenet_class_index\.json)$/,
      lock: (name) => `${name}.lock`,
    },
  ],
  [
    'npm',
    { kind: 'npm', holds: 'folders', names: /^[^.].*-\d+\.\d+\.\d+[^/]*$/, lock: (name) => `${name}.lock` },
  ],
  [
    'drivers',
    { kind: 'driver', holds: 'folders', names: /^[a-z]+-\w+-\d[\w.+~-]*$/, lock: () => 'install.lock' },
  ],
  ['prefix', { kind: 'prefix', holds: 'folders', names: PREFIX_KEY }],
  ['tuned', { kind: 'tuned', holds: 'files', names: /^[\w-]+\.jsonl$/ }],
]);

/**
 * What is in the cache, sorted by kind and name; nothing where there is none yet. Links are not followed.
 *
 * @throws ConvbaseError `file/denied`, `file/kind` .. where the folder itself cannot be read
 */
export async function listCache(folder = cacheFolder()): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const name of (await exists(folder)) ? await listFolder(folder) : []) {
    const shelf = shelves.get(name);
    const path = join(folder, name);
    const status = await linkStatusOf(path);
    if (status === undefined) continue;
    if (shelf === undefined || !status.isDirectory()) {
      const kind = status.isSymbolicLink() ? (shelf?.kind ?? 'unknown') : 'unknown';
      entries.push(await entryOf(kind, name, path, status));
    } else entries.push(...(await listShelf(shelf, name, path, status)));
  }
  const place = ({ kind }: CacheEntry): number => cacheKinds.indexOf(kind);
  return entries.sort((a, b) => place(a) - place(b));
}

async function listShelf(shelf: Shelf, shelfName: string, folder: string, own: Stats): Promise<CacheEntry[]> {
  let names: string[];
  try {
    names = await listFolder(folder);
  } catch (error) {
    return [await entryOf(shelf.kind, shelfName, folder, own, { problem: messageOf(error) })];
  }
  const entries: CacheEntry[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const status = await linkStatusOf(path);
    if (status === undefined) continue;
    const { kind, ...more } = await classify(shelf, folder, name, status);
    entries.push(await entryOf(kind, `${shelfName}/${name}`, path, status, more));
  }
  return entries;
}

async function classify(
  shelf: Shelf,
  folder: string,
  name: string,
  status: Stats,
): Promise<Pick<CacheEntry, 'kind' | 'usedBy'> & { isUnfinished?: boolean }> {
  const path = join(folder, name);
  if (isLockName(name)) return { kind: 'temporary', usedBy: await lockHolder(path) };
  if (isTemporaryName(name)) {
    const usedBy = isAbandoned(name, status.mtime) ? undefined : 'a running process';
    // Outputs that were computed in part are gone on with.
    const isUnfinished = shelf.kind === 'prefix' && !name.startsWith(`${REMOVED}.`);
    return { kind: isUnfinished ? 'prefix' : 'temporary', usedBy, isUnfinished };
  }
  const wanted = finishedName(shelf, name);
  const fits = status.isSymbolicLink() || (shelf.holds === 'files' ? status.isFile() : status.isDirectory());
  // What is half of something and says nothing of a process of ours is somebody else's.
  const isForeign = wanted.endsWith('.partial');
  if (!fits || isForeign || !shelf.names.test(wanted)) return { kind: 'unknown' };
  const usedBy = shelf.lock && (await lockHolder(join(folder, shelf.lock(wanted))));
  return { kind: shelf.kind, usedBy, isUnfinished: wanted !== name };
}

/** What a file will be called when it is complete. */
function finishedName(shelf: Shelf, name: string): string {
  return shelf.kind === 'weights' ? name.replace(/\.partial(\.json)?$/, '') : name;
}

async function entryOf(
  kind: CacheKind,
  name: string,
  path: string,
  status: Stats,
  { isUnfinished = false, usedBy, problem }: Partial<CacheEntry> = {},
): Promise<CacheEntry> {
  const size = await measure(path, status);
  return {
    ...{ kind, name, path, isUnfinished, usedBy },
    bytes: size.bytes,
    lastUsed: new Date(size.used || status.mtimeMs),
    isLink: status.isSymbolicLink(),
    problem: problem ?? size.problem,
  };
}

interface Size {
  bytes: number;
  used: number;
  problem?: string;
}

/** What a file or all files in a folder take, and when the last of them was used. */
async function measure(path: string, status: Stats): Promise<Size> {
  if (!status.isDirectory()) return { bytes: status.size, used: Math.max(status.atimeMs, status.mtimeMs) };
  const total: Size = { bytes: 0, used: 0 };
  try {
    for (const name of await listIfThere(path)) {
      const below = await linkStatusOf(join(path, name));
      if (below === undefined) continue;
      const { bytes, used, problem } = await measure(join(path, name), below);
      total.bytes += bytes;
      total.used = Math.max(total.used, used);
      if (problem !== undefined) total.problem ??= problem;
    }
  } catch (error) {
    total.problem ??= messageOf(error);
  }
  return total;
}

export interface ClearCacheOptions {
  readonly folder?: string;
  /** Default: all but `unknown`. */
  readonly kinds?: readonly CacheKind[];
  /** Milliseconds that something must have been of no use. */
  readonly olderThan?: number;
  /** Only says what would be removed. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface ClearedCache {
  readonly removed: readonly CacheEntry[];
  /** What a living process is at work on. */
  readonly inUse: readonly CacheEntry[];
  readonly failed: readonly { readonly entry: CacheEntry; readonly error: ConvbaseError }[];
}

/**
 * Removes what is in the cache, by kind and age. Never what a living process is at work on, nor anything outside: of links
 * only the link goes. A folder disappears at once, so that nobody finds half of it. What cannot be removed is told, and
 * the rest removed all the same.
 *
 * @throws ConvbaseError those of `listCache`; the signal's reason
 */
export async function clearCache({
  folder = cacheFolder(),
  kinds = cacheKinds.filter((kind) => kind !== 'unknown'),
  olderThan = 0,
  dryRun = false,
  signal,
}: ClearCacheOptions = {}): Promise<ClearedCache> {
  const now = Date.now();
  const removed: CacheEntry[] = [];
  const inUse: CacheEntry[] = [];
  const failed: { entry: CacheEntry; error: ConvbaseError }[] = [];
  for (const entry of await listCache(folder)) {
    signal?.throwIfAborted();
    const isRecent = olderThan > 0 && now - entry.lastUsed.getTime() < olderThan;
    if (isRecent || !kinds.includes(entry.kind)) continue;
    try {
      const isGone = entry.usedBy === undefined && (dryRun || (await removeEntry(entry, folder)));
      (isGone ? removed : inUse).push(entry);
    } catch (error) {
      if (!(error instanceof ConvbaseError)) throw error;
      if (error.code === 'file/locked') inUse.push(entry);
      else failed.push({ entry, error });
    }
  }
  return { removed, inUse, failed };
}

/** False where somebody has begun to use it since it was listed. */
async function removeEntry({ kind, name, path }: CacheEntry, folder: string): Promise<boolean> {
  const [shelfName = '', ownName] = name.split('/');
  const shelf = shelves.get(shelfName);
  const status = await linkStatusOf(path);
  if (status === undefined) return true;
  if (ownName === undefined || shelf === undefined) {
    await remove(path);
    return true;
  }
  if (isLockName(ownName)) return (await removeDeadLock(path)) === undefined;
  if (isTemporaryName(ownName) && !isAbandoned(ownName, status.mtime)) return false;
  const lock =
    kind === 'temporary' || kind === 'unknown' ? undefined : shelf.lock?.(finishedName(shelf, ownName));
  const work = (): Promise<void> => removeAtOnce(path, join(dirname(path), REMOVED));
  if (lock === undefined) await work();
  else await withLock(join(folder, shelfName, lock), path, { heartbeat: true }, work);
  return true;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
