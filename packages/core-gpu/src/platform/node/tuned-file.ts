import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ConvbaseError, parseJson } from '@convbase/base';
import { cacheFolder, readBounded, writeFileAtomic } from '@convbase/base/node';
import type { AdapterDescription } from '../../device/adapter.ts';
import { shaderTexts } from '../../shaders/generated.ts';
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

/** No model has so many shapes that its table would be larger. */
const MAX_BYTES = 16 * 2 ** 20;

const packageJson = createRequire(import.meta.url)('../../../package.json') as { version: string };

/** The file of an adapter with its driver in convbase's cache. It need not exist. */
export function tunedFile({ name, driver }: AdapterDescription): string {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const hash = createHash('sha256')
    .update(JSON.stringify([name, driver]))
    .digest('hex');
  return join(cacheFolder(), 'tuned', `${slug.slice(0, 60)}-${hash.slice(0, 8)}.json`);
}

/**
 * What was measured on an adapter with the kernels of today; nothing where that never happened.
 *
 * @throws ConvbaseError `tune/file` for a file that is damaged
 */
export async function readMeasured(adapter: AdapterDescription): Promise<MeasuredTable> {
  const path = tunedFile(adapter);
  if (!existsSync(path)) return {};
  const text = await readText(path);
  let content: unknown;
  try {
    content = parseJson(text);
  } catch (cause) {
    throw damaged(path, 'it is no JSON', cause);
  }
  if (!isRecord(content) || content['format'] !== 'convbase-tuned')
    throw damaged(path, 'it is no tuned table');
  // Of other kernels: worth nothing, and no mistake.
  if (content['kernels'] !== kernelsHash()) return {};
  const { measured } = content;
  if (!isRecord(measured)) throw damaged(path, 'it has no measurements');
  for (const [key, entry] of Object.entries(measured)) {
    if (!isMeasured(entry)) throw damaged(path, `${JSON.stringify(key.slice(0, 200))} is no measurement`);
  }
  return measured as MeasuredTable;
}

/**
 * Adds measurements to an adapter's file; a problem that was measured before is replaced, and so is a damaged file as a
 * whole. Returns the file's path.
 */
export async function addMeasured(adapter: AdapterDescription, more: MeasuredTable): Promise<string> {
  const path = tunedFile(adapter);
  const before = await readMeasured(adapter).catch((error: unknown): MeasuredTable => {
    if (error instanceof ConvbaseError && error.code === 'tune/file') return {};
    throw error;
  });
  const measured = { ...before, ...more };
  const { name, driver } = adapter;
  const content = {
    format: 'convbase-tuned',
    convbase: packageJson.version,
    adapter: { name, driver },
    kernels: kernelsHash(),
    measured,
  };
  await writeFileAtomic(path, `${JSON.stringify(content, null, 1)}\n`);
  return path;
}

/** The choices that measurement would make otherwise than the rules; undefined where there are none. */
export function tunedTableOf(measured: MeasuredTable): TunedTable | undefined {
  const entries = Object.entries(measured)
    .filter(([, { rule, best }]) => !sameChoice(rule, best))
    .map(([key, { best }]): [string, TunedChoice] => [key, best]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

let hash: string | undefined;

/**
 * Of the text of all shaders and convbase's version: changes with either, and with nothing else. A change of the
 * TypeScript around the shaders alone leaves it as it is.
 */
export function kernelsHash(): string {
  hash ??= createHash('sha256')
    .update(JSON.stringify([packageJson.version, shaderTexts]))
    .digest('hex')
    .slice(0, 16);
  return hash;
}

async function readText(path: string): Promise<string> {
  try {
    return (await readBounded(path, MAX_BYTES)).toString('utf8');
  } catch (error) {
    if (error instanceof ConvbaseError && error.code === 'file/too-large')
      throw damaged(path, 'it is too large for a tuned table', error);
    throw error;
  }
}

function damaged(path: string, what: string, cause?: unknown): ConvbaseError {
  return new ConvbaseError('tune/file', what, {
    where: path,
    fix: 'Delete it, and run `convbase tune` again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMeasured(value: unknown): value is Measured {
  return (
    isRecord(value) &&
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
