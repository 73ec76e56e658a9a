import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConvbaseError } from '../errors.ts';
import { afterFailure, withTidying } from './after-failure.ts';
import { codeOf } from './file-error.ts';
import { exists, makeFolder, removeFile, touch } from './file-operations.ts';
import {
  held,
  type Holder,
  holderInWords,
  holderOf,
  INSTANCE,
  inWords,
  isDead,
  isForEver,
  type Found,
} from './lock-holder.ts';
import { ownName, thisProcess } from './process-identity.ts';
import { giveSecondName } from './second-name.ts';
import { removeAbandoned, removeLeftovers, temporaryPath } from './temporary.ts';
import { withWritableFile } from './with-file.ts';

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
    await afterFailure(release);
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
    // Who waits only looks.
    const isFree = !told || (await holderOf(path)) === undefined;
    if (isFree && (await claim(path, { ...thisProcess, host: hostname(), id, instance: INSTANCE }))) {
      held.add(id);
      try {
        await removeDead(takeoverOf(path), where, options);
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
    const found = await removeDead(path, where, options);
    if (found === undefined) continue;
    const { holder } = found;
    if (options.onWait === undefined || holder === undefined || isForEver(holder, options.heartbeat)) {
      throw locked(path, where, holder);
    }
    if (!told) options.onWait(inWords(holder));
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
  return withTidying(work, await takeLock(path, where, options));
}

/**
 * Refuses a place whose lock `path` cannot be taken, without taking it: for who takes it only when long work is done, and
 * would lose that work.
 *
 * @param where what is locked, for messages
 * @throws ConvbaseError `file/locked` naming the process that has it; `file/..`
 */
export async function refuseLocked(path: string, where: string): Promise<void> {
  const found = await holderOf(path);
  if (found === undefined) return;
  if (!isDead(found, false)) throw locked(path, where, found.holder);
  await refuseLocked(takeoverOf(path), where);
}

/** Removes a lock of the cache, where all show that they are in use, if its process is no more; else says who has it. */
export async function removeDeadLock(path: string): Promise<string | undefined> {
  const found = await removeDead(path, path, { heartbeat: true });
  return found && holderInWords(found);
}

/** Who has the lock `path`; undefined where nobody does who is alive. */
export async function lockHolder(path: string): Promise<string | undefined> {
  const found = await holderOf(path);
  return found === undefined || isDead(found, true) ? undefined : holderInWords(found);
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
    return await putInPlace(beside, path, mine);
  } catch (error) {
    // Who had the folder before has removed it, as it was empty.
    if (codeOf(error) === 'ENOENT' && !(await exists(dirname(path)))) return false;
    throw error;
  } finally {
    // What stays has a temporary name: whether the lock was taken does not depend on it.
    await afterFailure(() => removeFile(beside));
  }
}

async function putInPlace(beside: string, path: string, mine: Holder): Promise<boolean> {
  const name = await giveSecondName(beside, path);
  return name === 'unsupported' ? claimWithoutLink(path, mine) : name === 'given';
}

async function claimWithoutLink(path: string, mine: Holder): Promise<boolean> {
  try {
    await writeHolder(path, mine);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    await afterFailure(() => removeFile(path));
    throw error;
  }
}

async function writeHolder(path: string, holder: Holder): Promise<void> {
  await withWritableFile(path, 'new', async (file) => {
    await file.write(Buffer.from(JSON.stringify(holder)));
    await file.sync();
  });
}

/** The lock of those who take over a lock. */
function takeoverOf(path: string): string {
  return `${path}.takeover`;
}

/**
 * Removes a lock if its process is no more; else returns it. Only who holds the lock's own lock may: otherwise a process
 * that was slow to look would remove the lock that a faster one has taken since.
 */
async function removeDead(
  path: string,
  where: string,
  { heartbeat = false, signal }: LockOptions,
): Promise<Found | undefined> {
  const seen = await holderOf(path);
  if (seen === undefined || !isDead(seen, heartbeat)) return seen;
  const options = { onWait: () => undefined, heartbeat, ...(signal && { signal }) };
  return withLock(takeoverOf(path), where, options, async () => {
    const found = await holderOf(path);
    if (found === undefined || !isDead(found, heartbeat)) return found;
    await removeFile(path);
    return undefined;
  });
}

async function release(path: string, id: string): Promise<void> {
  held.delete(id);
  // Somebody may have removed it by hand, and another process have taken it since.
  if ((await holderOf(path))?.holder?.id === id) await removeFile(path);
}

function locked(path: string, where: string, holder: Holder | undefined): ConvbaseError {
  const who = holder === undefined ? 'another program' : inWords(holder);
  return new ConvbaseError('file/locked', `${who} is writing here`, {
    where,
    fix: `Wait for it, or choose another place. If nothing is at work there, remove ${path}.`,
  });
}
