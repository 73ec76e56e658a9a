import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { fileError } from '@convbase/base/node';
import { z } from 'zod';

const FILE = 'lock';

const holderSchema = z.object({
  pid: z.number().int().positive(),
  host: z.string(),
  /** When the process was started, as far as the system tells: numbers of processes are used again. */
  started: z.string().nullable(),
  id: z.string(),
});

type Holder = z.infer<typeof holderSchema>;

/** Locks that this process holds. */
const held = new Set<string>();

/**
 * Takes a folder for this process, so that no two runs write into it; returns what gives it back. The lock of a
 * process that is no more is taken over.
 *
 * @throws ConvbaseError `run/locked` naming the process that has it; `file/..`
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, FILE);
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    started: await startOf(process.pid),
    id: randomBytes(8).toString('hex'),
  };
  const release = async (): Promise<void> => {
    held.delete(mine.id);
    await rm(path, { force: true });
  };
  try {
    await mkdir(folder, { recursive: true });
    for (;;) {
      if (await claim(path, mine)) {
        held.add(mine.id);
        return release;
      }
      await removeStale(path, folder);
    }
  } catch (error) {
    throw error instanceof ConvbaseError ? error : fileError(error, path, 'cannot write it');
  }
}

/** Puts the lock there complete or not at all; false where there is one. */
async function claim(path: string, mine: Holder): Promise<boolean> {
  const beside = `${path}.${mine.id}.partial`;
  await writeFile(beside, JSON.stringify(mine), { flag: 'wx' });
  try {
    await link(beside, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
}

async function removeStale(path: string, folder: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (text === undefined) return;
  const holder = parse(text);
  if (holder === undefined || (await isAlive(holder))) {
    const who = holder === undefined ? 'another run' : `process ${holder.pid} on ${holder.host}`;
    throw new ConvbaseError('run/locked', `${who} is writing into this folder`, {
      where: folder,
      fix: `Wait for it or give another folder. If no run is at work there, remove ${path}.`,
    });
  }
  // Another process may do the same: whoever moves away a lock other than the one it read puts it back.
  const aside = `${path}.${randomBytes(8).toString('hex')}.partial`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return; // another process was faster
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== text) await link(aside, path);
  await rm(aside, { force: true });
}

function parse(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    // Not of convbase's making: nobody knows whose it is, and the message says so.
    return undefined;
  }
}

async function isAlive({ pid, host, started, id }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(id);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    if (!hasCode(error, 'EPERM')) throw error;
  }
  const now = await startOf(pid);
  return started === null || now === null || now === started;
}

/** The moment a process was started, in the kernel's ticks since it was booted; null where the system has no /proc. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The second field is the command in parentheses, which may hold anything.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
