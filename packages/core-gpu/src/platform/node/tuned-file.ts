import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { ConvbaseError, parseJson } from '@convbase/base';
import {
  cacheFolder,
  linkStatusOf,
  makeFolder,
  readBounded,
  withWritableFile,
  type WritableFile,
  writeFileAtomic,
} from '@convbase/base/node';
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
  const { lines, damaged } = await readLines(tunedFile(adapter));
  const [first] = damaged;
  if (first) {
    throw new ConvbaseError('tune/file', first.what, {
      where: tunedFile(adapter),
      fix: 'Run `convbase tune`, which strikes out what is damaged and keeps the rest, or delete it.',
      cause: first.cause,
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

/** What was struck out of a damaged file. */
export interface Struck {
  /** What is wrong with it: `line 3 is no JSON`. */
  readonly what: string;
  /** How many lines were struck out. */
  readonly lines: number;
  /** How many are whole and stay. */
  readonly kept: number;
}

/**
 * Writes line feeds over the lines of an adapter's file that are damaged; undefined where none is. The file keeps its
 * name and every line its place, so other processes may add to it or do the same meanwhile.
 *
 * @throws ConvbaseError `tune/file` for a file that is too large to be a table
 */
export async function strikeDamaged(adapter: AdapterDescription): Promise<Struck | undefined> {
  const path = tunedFile(adapter);
  const { lines, damaged } = await readLines(path);
  const [first] = damaged;
  if (first === undefined) return undefined;
  await makeOwn(path);
  await withWritableFile(path, 'existing', async (file) => {
    for (const { start, end } of damaged) await file.write(Buffer.alloc(end - start, '\n'), start);
    await file.sync();
  });
  return { what: first.what, lines: damaged.length, kept: lines.length };
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
  await makeFolder(dirname(path));
  await makeOwn(path);
  await withWritableFile(path, 'append', async (file) => {
    const start = (await endsInLine(file)) ? '' : '\n';
    await file.write(Buffer.from(start + lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
    await file.sync();
  });
}

async function endsInLine(file: WritableFile): Promise<boolean> {
  const size = await file.size();
  return size === 0 || (await file.read(size - 1, 1))[0] === 0x0a;
}

/** A link, or a file that has a second name elsewhere, becomes a copy: what it leads to is not ours to write to. */
async function makeOwn(path: string): Promise<void> {
  const status = await linkStatusOf(path);
  if (status === undefined || (status.isFile() && status.nlink === 1)) return;
  await writeFileAtomic(path, await readTable(path));
}

/** A line that is damaged, and where in the file it is. */
interface Damage {
  readonly what: string;
  readonly cause?: unknown;
  readonly start: number;
  readonly end: number;
}

/** The lines of a file, if there is one. */
async function readLines(path: string): Promise<{ lines: Line[]; damaged: Damage[] }> {
  const bytes = await readTable(path);
  const lines: Line[] = [];
  const damaged: Damage[] = [];
  let start = 0;
  for (let number = 1; start < bytes.length; number++) {
    const feed = bytes.indexOf('\n', start);
    const end = feed < 0 ? bytes.length : feed;
    if (end > start) {
      try {
        const found = parseJson(bytes.toString('utf8', start, end));
        if (isLine(found)) lines.push(found);
        else damaged.push({ what: `line ${String(number)} is no measurement`, start, end });
      } catch (cause) {
        damaged.push({ what: `line ${String(number)} is no JSON`, cause, start, end });
      }
    }
    start = end + 1;
  }
  return { lines, damaged };
}

async function readTable(path: string): Promise<Buffer> {
  try {
    return await readBounded(path, MAX_BYTES);
  } catch (cause) {
    if (!(cause instanceof ConvbaseError)) throw cause;
    if (cause.code === 'file/missing') return Buffer.alloc(0);
    if (cause.code !== 'file/too-large') throw cause;
    const fix = 'Delete it.';
    throw new ConvbaseError('tune/file', 'it is too large for a tuned table', { where: path, fix, cause });
  }
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
