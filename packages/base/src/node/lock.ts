import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConvbaseError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { afterFailure } from './after-failure.ts';
import { systemCode } from './file-error.ts';
import {
  exists,
  link,
  linkStatusOf,
  makeFolder,
  removeFile,
  touch,
  WritableFile,
} from './file-operations.ts';
import { isRunning, ownName, thisProcess, type ProcessIdentity } from './process-identity.ts';
import { readBounded } from './read-file.ts';
import { removeAbandoned, removeLeftovers, temporaryPath } from './temporary.ts';

/** Who has a lock. */
interface Holder extends ProcessIdentity {
  readonly host: string;
  readonly id: string;
}

/** Locks that this process holds, by `id`. */
const held = new Set<string>();

export interface LockOptions {
  /**
   * Waits until the lock is free instead of refusing; told once whom for. Not with a lock that nobody can be asked
   * about.
   */
  readonly onWait?: (holder: string) => void;
  /**
   * Shows all the time that the lock is in use, and takes over one of another machine or container that nobody has shown
   * to be in use for ten minutes. Without it such a lock, whose process nobody here can ask about, is there for ever. All
   * who take the lock must say the same.
   */
  readonly heartbeat?: boolean;
  readonly signal?: AbortSignal;
}

const HEARTBEAT_MS = 30_000;
const SILENT_MS = 10 * 60_000;

/** Gives a lock back. */
export type Release = () => Promise<void>;

/** The name of a folder's lock in it. */
export const LOCK_FILE = 'lock';

/** Whether a file of that name is a lock, or the lock of those who take one over. */
export function isLockName(name: string): boolean {
  const lock = name.replace(/(\.takeover)+$/, '');
  return lock === LOCK_FILE || lock.endsWith('.lock');
}

/**
 * Takes a folder for this process, so that no two write into it: a file `lock` in it says who has it. Missing folders
 * are made, and what dead processes left half-made in it is removed.
 *
 * @throws ConvbaseError those of `takeLock`
 */
export async function lockFolder(folder: string, options: LockOptions = {}): Promise<Release> {
  const release = await takeLock(join(folder, LOCK_FILE), folder, options);
  try {
    await removeAbandoned(folder);
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

/**
 * Takes the file `path`, which says who has it and is there only while somebody does. The lock of a process that is no
 * more is taken over.
 *
 * @param where what is locked, for messages
 * @throws ConvbaseError `file/locked` naming the process that has it; `file/..`; the signal's reason
 */
export async function takeLock(path: string, where: string, options: LockOptions = {}): Promise<Release> {
  const id = ownName();
  let told = false;
  for (;;) {
    options.signal?.throwIfAborted();
    await makeFolder(dirname(path));
    await removeLeftovers(path);
    if (await claim(path, { ...thisProcess, host: hostname(), id })) {
      held.add(id);
      try {
        await removeDead(takeoverOf(path), where);
      } catch (error) {
        await afterFailure(() => release(path, id));
        throw error;
      }
      const beating = options.heartbeat === true ? beat(path) : undefined;
      return () => {
        clearInterval(beating);
        return release(path, id);
      };
    }
    const found = await removeDead(path, where, options.heartbeat);
    if (found === undefined) continue;
    if (options.onWait === undefined || found.holder === undefined) throw locked(path, where, found.holder);
    if (!told) options.onWait(inWords(found.holder));
    told = true;
    await sleep(100, undefined, options.signal && { signal: options.signal }).catch((error: unknown) => {
      options.signal?.throwIfAborted();
      throw error;
    });
  }
}

/**
 * Does something while this process has the lock `path`.
 *
 * @throws ConvbaseError those of `takeLock`; what `work` throws
 */
export async function withLock<T>(
  path: string,
  where: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const release = await takeLock(path, where, options);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await afterFailure(release);
    throw error;
  }
  await release();
  return result;
}

/** Removes a lock of the cache, where all show that they are in use, if its process is no more; else says who has it. */
export async function removeDeadLock(path: string): Promise<string | undefined> {
  const found = await removeDead(path, path, true);
  return found && holderInWords(found);
}

/** Who has the lock `path`; undefined where nobody does who is alive. */
export async function lockHolder(path: string): Promise<string | undefined> {
  const found = await holderOf(path);
  return found === undefined || isDead(found, true) ? undefined : holderInWords(found);
}

function holderInWords({ holder }: Found): string {
  return holder === undefined ? 'another program' : inWords(holder);
}

function beat(path: string): NodeJS.Timeout {
  const timer = setInterval(() => {
    // Somebody may have removed it by hand: whoever takes it next says so by taking it.
    touch(path).catch(() => undefined);
  }, HEARTBEAT_MS);
  return timer.unref();
}

/** Puts the lock there complete or not at all; false where there is one. */
async function claim(path: string, mine: Holder): Promise<boolean> {
  const beside = temporaryPath(path);
  try {
    await writeHolder(beside, mine);
    await link(beside, path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    // Who had the folder before has removed it, as it was empty.
    if (code === 'ENOENT' && !(await exists(dirname(path)))) return false;
    // Some file systems (FAT, network folders) know no second names.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
    return await claimWithoutLink(path, mine);
  } finally {
    await removeFile(beside);
  }
}

async function claimWithoutLink(path: string, mine: Holder): Promise<boolean> {
  try {
    await writeHolder(path, mine);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function writeHolder(path: string, holder: Holder): Promise<void> {
  const file = await WritableFile.open(path, 'new');
  try {
    await file.write(Buffer.from(JSON.stringify(holder)));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The lock of those who take over a lock. */
function takeoverOf(path: string): string {
  return `${path}.takeover`;
}

/**
 * Removes a lock if its process is no more; else returns it. Only who holds the lock's own lock may: otherwise a process
 * that was slow to look would remove the lock that a faster one has taken since.
 */
async function removeDead(path: string, where: string, heartbeat = false): Promise<Found | undefined> {
  const seen = await holderOf(path);
  if (seen === undefined || !isDead(seen, heartbeat)) return seen;
  const done = await takeLock(takeoverOf(path), where, { onWait: () => undefined });
  try {
    const found = await holderOf(path);
    if (found === undefined || !isDead(found, heartbeat)) return found;
    await removeFile(path);
    return undefined;
  } finally {
    await done();
  }
}

async function release(path: string, id: string): Promise<void> {
  held.delete(id);
  // Somebody may have removed it by hand, and another process have taken it since.
  if ((await holderOf(path))?.holder?.id === id) await removeFile(path);
}

/** A lock that is there; without a holder where its text is none of ours. */
interface Found {
  readonly holder: Holder | undefined;
  /** Nothing is written in it, and has not been for a while: a file system without links, and a kill. */
  readonly isEmpty: boolean;
  /** When it was last written or shown to be in use. */
  readonly changed: number;
}

const EMPTY_MS = 10_000;
const MAX_BYTES = 4096;

async function holderOf(path: string): Promise<Found | undefined> {
  const status = await linkStatusOf(path);
  if (status === undefined) return undefined;
  const changed = status.mtimeMs;
  // Locks are never links: where one leads is no business of ours.
  if (!status.isFile()) return { holder: undefined, isEmpty: false, changed };
  if (status.size === 0) return { holder: undefined, isEmpty: Date.now() - changed > EMPTY_MS, changed };
  try {
    const holder = parseHolder((await readBounded(path, MAX_BYTES)).toString());
    return { holder, isEmpty: false, changed };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Who a lock's text names; undefined for text that convbase did not write. */
export function parseHolder(text: string): Holder | undefined {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    // Nobody knows whose it is, and the message says so.
    return undefined;
  }
  const { machine, pid, started, host, id } = (json ?? {}) as Record<string, unknown>;
  const isHolder =
    typeof machine === 'string' &&
    typeof pid === 'number' &&
    Number.isSafeInteger(pid) &&
    pid > 0 &&
    typeof started === 'string' &&
    typeof host === 'string' &&
    typeof id === 'string';
  return isHolder ? { machine, pid, started, host, id } : undefined;
}

function isDead({ holder, isEmpty, changed }: Found, heartbeat: boolean): boolean {
  if (holder === undefined) return isEmpty;
  const isOurs = holder.pid === thisProcess.pid && holder.machine === thisProcess.machine;
  if (isOurs && holder.started === thisProcess.started) return !held.has(holder.id);
  const runs = isRunning(holder);
  return runs === undefined ? heartbeat && Date.now() - changed > SILENT_MS : !runs;
}

function locked(path: string, where: string, holder: Holder | undefined): ConvbaseError {
  const who = holder === undefined ? 'another program' : inWords(holder);
  return new ConvbaseError('file/locked', `${who} is writing here`, {
    where,
    fix: `Wait for it, or choose another place. If nothing is at work there, remove ${path}.`,
  });
}

function inWords({ pid, host }: Holder): string {
  return `process ${pid} on ${host}`;
}

/** The system's code behind an error of ours. */
function codeOf(error: unknown): string | undefined {
  return error instanceof ConvbaseError ? systemCode(error.cause) : systemCode(error);
}
