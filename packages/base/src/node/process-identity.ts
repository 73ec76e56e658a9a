import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process among all that there ever are on all machines that may share a folder. */
export interface ProcessIdentity {
  /** Where process numbers mean the same: a machine, or a container with numbers of its own. */
  readonly machine: string;
  readonly pid: number;
  /** When it was started, as far as the system tells, else `0`: numbers of processes are used again. */
  readonly started: string;
}

/** This process. */
export const thisProcess: ProcessIdentity = {
  machine: machine(),
  pid: process.pid,
  started: startOf(process.pid) ?? '0',
};

/**
 * Whether a process still runs; undefined where nobody here can tell, because it is (or was) one of another machine or
 * container.
 */
export function isRunning({ machine: where, pid, started }: ProcessIdentity): boolean | undefined {
  if (where !== thisProcess.machine) return undefined;
  if (pid === thisProcess.pid && started === thisProcess.started) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, but is somebody else's.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const now = startOf(pid);
  return now === undefined || started === '0' || now === started;
}

/** A name that no other process gives to anything, and that says whose it is: see `ownerOf`. */
export function ownName(): string {
  const { machine: where, pid, started } = thisProcess;
  return [where, pid, started, randomBytes(4).toString('hex')].join('-');
}

/** A name that says that something belongs to nobody any more, and is there for whoever wants to go on with it. */
export function nobodysName(): string {
  return `nobody-0-${randomBytes(4).toString('hex')}`;
}

/** Whether `nobodysName` gave a name. */
export function isNobodys(name: string): boolean {
  return name.startsWith('nobody-0-');
}

/** Whose a name is that `ownName` gave; undefined for others. */
export function ownerOf(name: string): ProcessIdentity | undefined {
  const match = /^([0-9a-f]{8})-(\d{1,10})-(\w{1,40})-[0-9a-f]{8}$/.exec(name);
  if (match === null) return undefined;
  const [, where = '', pid, started = ''] = match;
  return { machine: where, pid: Number(pid), started };
}

/**
 * The moment a process was started: the run of the system that it belongs to, and the ticks since that began. Undefined
 * where there is no such process, or no /proc; a process that has ended and waits to be asked for its exit code is none.
 */
function startOf(pid: number): string | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the command in parentheses, which may hold anything.
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return 'ended';
  const boot = textOf('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? '';
  return `${boot}_${fields[18] ?? ''}`;
}

function machine(): string {
  let numbers = '';
  try {
    numbers = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has them.
  }
  // Many machines have the same name, and the first process numbers of all have the same place.
  const id = textOf('/etc/machine-id') ?? textOf('/proc/sys/kernel/random/boot_id') ?? '';
  return createHash('sha256').update(`${hostname()} ${numbers} ${id}`).digest('hex').slice(0, 8);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No such process, or no /proc: both are what undefined says.
    return undefined;
  }
}
