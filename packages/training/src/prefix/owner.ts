import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** How long the folder of a process that cannot be asked must have been left alone to count as abandoned. */
const ABANDONED_MS = 10 * 60_000;

/** A name that says which process a folder belongs to: machine, process number, and something of its own. */
export function ownName(): string {
  return `${machine()}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** A name that says that a folder belongs to nobody any more. */
export function nobodysName(): string {
  return `nobody-0-${randomBytes(4).toString('hex')}`;
}

/** Whether whoever the name belongs to has left its folder, last touched then, to others. */
export function isAbandoned(name: string, touched: Date): boolean {
  const [where, pid] = name.split('-');
  if (where === 'nobody') return true;
  if (where === machine()) return !isRunning(Number(pid));
  return Date.now() - touched.getTime() > ABANDONED_MS;
}

/** Where process numbers mean the same: containers of one host have numbers of their own. */
function machine(): string {
  let numbers = '';
  try {
    numbers = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has them.
  }
  return createHash('sha256').update(`${hostname()} ${numbers}`).digest('hex').slice(0, 8);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, but is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
