import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ConvbaseError, parseJson } from '@convbase/base';
import { cacheFolder, fileError, readBounded } from '@convbase/base/node';
import type { AdapterDescription } from '../../device/adapter.ts';
import { kernelsHash } from '../../shaders/generated.ts';
import { sameChoice, type TunedChoice, type TunedTable } from '../../tuning/table.ts';

/** What was measured for one problem. */
export interface Measured {
  readonly rule: TunedChoice;
  readonly ruleMilliseconds: number;
  readonly best: TunedChoice;
  readonly bestMilliseconds: number;
}

/** Problems by `problemKey`. */
export type MeasuredTable = Readonly<Record<string, Measured>>;

/** A line of the file: one problem, and the kernels that were there to choose from. */
interface Line extends Measured {
  readonly kernels: string;
  readonly key: string;
}

/** No models have so many shapes that their table would be larger. */
const MAX_BYTES = 16 * 2 ** 20;

/** Setting a file aside takes less: who has not finished by then will not. */
const PATIENCE_MS = 5000;

/** The file of an adapter with its driver in convbase's cache. It need not exist. */
export function tunedFile({ name, driver }: AdapterDescription): string {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const hash = createHash('sha256')
    .update(JSON.stringify([name, driver]))
    .digest('hex');
  return join(cacheFolder(), 'tuned', `${slug.slice(0, 60)}-${hash.slice(0, 8)}.jsonl`);
}

/**
 * What was measured on an adapter with the kernels of today; nothing where that never happened.
 *
 * @throws ConvbaseError `tune/file` for a file that is damaged
 */
export async function readMeasured(adapter: AdapterDescription): Promise<MeasuredTable> {
  const { lines, damage } = await readLines(tunedFile(adapter));
  if (damage) {
    throw new ConvbaseError('tune/file', damage.what, {
      where: tunedFile(adapter),
      fix: 'Delete it, or run `convbase tune`, which sets it aside and keeps what is whole.',
      cause: damage.cause,
    });
  }
  const ours = lines.filter(({ kernels }) => kernels === kernelsHash);
  return Object.fromEntries(
    ours.map(({ key, rule, ruleMilliseconds, best, bestMilliseconds }) => [
      key,
      { rule, ruleMilliseconds, best, bestMilliseconds },
    ]),
  );
}

/**
 * Adds measurements to an adapter's file: each a line at its end, the last line of a problem counts. So several
 * processes may add at the same time, and what other kernels were measured to do stays. Returns the file's path.
 */
export async function addMeasured(adapter: AdapterDescription, more: MeasuredTable): Promise<string> {
  const path = tunedFile(adapter);
  await append(
    path,
    Object.entries(more).map(([key, measured]) => ({ kernels: kernelsHash, key, ...measured })),
  );
  return path;
}

/** A damaged file that was set aside. */
export interface SetAside {
  /** What is wrong with it: `line 3 is no JSON`. */
  readonly what: string;
  /** What it is called now. */
  readonly path: string;
  /** How many of its measurements are whole, and stand in a new file under the old name. */
  readonly kept: number;
}

/**
 * Renames the adapter's file if it is damaged, and begins a new one with the lines that are whole. Of several processes
 * that find the same damage one does it; the others wait for it and get undefined, as for a whole file.
 */
export async function setAsideDamaged(adapter: AdapterDescription): Promise<SetAside | undefined> {
  const path = tunedFile(adapter);
  const { damage } = await readLines(path);
  return damage && alone(path, () => setAside(path));
}

async function setAside(path: string): Promise<SetAside | undefined> {
  const { damage } = await readLines(path);
  if (!damage) return undefined;
  let aside = `${path}.damaged`;
  for (let n = 2; existsSync(aside); n++) aside = `${path}.damaged-${String(n)}`;
  await rename(path, aside).catch((error: unknown) => {
    throw fileError(error, path, 'cannot rename it');
  });
  // Read again: another process may have added to it until now.
  const { lines } = await readLines(aside);
  await append(path, lines);
  return { what: damage.what, path: aside, kept: lines.length };
}

/** Does what one process at a time may do with a file. A lock that stays was left by a process that ended meanwhile. */
async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const end = Date.now() + PATIENCE_MS;
  while (!(await taken(lock)) && Date.now() < end) await setTimeout(20);
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** Makes a folder; false where there is one. */
async function taken(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (cause) {
    const error = fileError(cause, folder, 'cannot make it');
    if (error instanceof ConvbaseError && error.code === 'file/exists') return false;
    throw error;
  }
}

/** The choices that measurement would make otherwise than the rules; undefined where there are none. */
export function tunedTableOf(measured: MeasuredTable): TunedTable | undefined {
  const entries = Object.entries(measured)
    .filter(([, { rule, best }]) => !sameChoice(rule, best))
    .map(([key, { best }]): [string, TunedChoice] => [key, best]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/**
 * Writes all lines at once, at the end of the file as it is then: systems do not mix what two processes append. A last
 * line that was cut off stays one of its own.
 */
async function append(path: string, lines: readonly Line[]): Promise<void> {
  if (lines.length === 0) return;
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, 'a+');
    try {
      const start = (await endsInLine(handle)) ? '' : '\n';
      await handle.appendFile(start + lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, path, 'cannot write it');
  }
}

async function endsInLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return true;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

interface Damage {
  readonly what: string;
  readonly cause?: unknown;
}

/** The whole lines of a file, and what is wrong with it otherwise. */
async function readLines(path: string): Promise<{ lines: Line[]; damage?: Damage }> {
  const lines: Line[] = [];
  if (!existsSync(path)) return { lines };
  let text: string;
  try {
    text = (await readBounded(path, MAX_BYTES)).toString('utf8');
  } catch (cause) {
    if (!(cause instanceof ConvbaseError && cause.code === 'file/too-large')) throw cause;
    return { lines, damage: { what: 'it is too large for a tuned table', cause } };
  }
  let damage: Damage | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    try {
      const found = parseJson(line);
      if (isLine(found)) lines.push(found);
      else damage ??= { what: `line ${String(index + 1)} is no measurement` };
    } catch (cause) {
      damage ??= { what: `line ${String(index + 1)} is no JSON`, cause };
    }
  }
  return { lines, ...(damage && { damage }) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLine(value: unknown): value is Line {
  return (
    isRecord(value) &&
    typeof value['kernels'] === 'string' &&
    typeof value['key'] === 'string' &&
    isChoice(value['rule']) &&
    isChoice(value['best']) &&
    typeof value['ruleMilliseconds'] === 'number' &&
    typeof value['bestMilliseconds'] === 'number'
  );
}

function isChoice(value: unknown): value is TunedChoice {
  return (
    isRecord(value) &&
    Object.values(value).every((field) => ['string', 'number', 'boolean'].includes(typeof field))
  );
}
