import { randomBytes } from 'node:crypto';
import { parseJson } from '../json.ts';
import { codeOf } from './file-error.ts';
import { linkStatusOf } from './file-operations.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import { readBounded } from './read-file.ts';

/** Who has a lock. */
export interface Holder extends ProcessIdentity {
  readonly host: string;
  readonly id: string;
  /** Who in the process: each of its threads, and each copy of this module, knows of its own locks alone. */
  readonly instance: string;
}

/** This module in this thread. */
export const INSTANCE = randomBytes(8).toString('hex');

/** Locks that are held here, by `id`. */
export const held = new Set<string>();

/** A lock that is there; without a holder where its text is none of ours. */
export interface Found {
  readonly holder: Holder | undefined;
  /** Nothing is written in it, and has not been for a while: a file system without links, and a kill. */
  readonly isEmpty: boolean;
  /** When it was last written or shown to be in use. */
  readonly changed: number;
}

const EMPTY_MS = 10_000;
const SILENT_MS = 10 * 60_000;
const MAX_BYTES = 4096;

/** Who has the lock `path`; undefined where there is none. */
export async function holderOf(path: string): Promise<Found | undefined> {
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
function parseHolder(text: string): Holder | undefined {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    // Nobody knows whose it is, and the message says so.
    return undefined;
  }
  const { machine, pid, started, host, id, instance } = (json ?? {}) as Record<string, unknown>;
  const isHolder =
    typeof machine === 'string' &&
    typeof pid === 'number' &&
    Number.isSafeInteger(pid) &&
    pid > 0 &&
    typeof started === 'string' &&
    typeof host === 'string' &&
    typeof id === 'string' &&
    typeof instance === 'string';
  return isHolder ? { machine, pid, started, host, id, instance } : undefined;
}

/**
 * Whether nobody who is alive has a lock.
 *
 * @param heartbeat whether holders show that the lock is in use
 */
export function isDead({ holder, isEmpty, changed }: Found, heartbeat: boolean): boolean {
  if (holder === undefined) return isEmpty;
  if (holder.instance === INSTANCE) return !held.has(holder.id);
  const runs = isRunning(holder);
  return runs === undefined ? heartbeat && Date.now() - changed > SILENT_MS : !runs;
}

/** Whether nobody here will ever learn that who has a lock is done: a process that may be of another machine. */
export function isForEver(holder: Holder, heartbeat = false): boolean {
  return !heartbeat && holder.instance !== INSTANCE && isRunning(holder) === undefined;
}

export function holderInWords({ holder }: Found): string {
  return holder === undefined ? 'another program' : inWords(holder);
}

export function inWords({ pid, host }: Holder): string {
  return `process ${pid} on ${host}`;
}
