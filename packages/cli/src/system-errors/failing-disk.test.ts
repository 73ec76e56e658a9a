import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileOperation, watchFileOperations } from '@convbase/base/node';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { inProcess } from '../testing/runs.ts';
import { miniModel, miniOptions, writePictures } from '../testing/samples.ts';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);
/** Where commands write. */
const out = (...parts: string[]): string => at('out', ...parts);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-disk-'));
  await writePictures(at('pictures'), 4);
  await inProcess('extract', at('pictures'), ...miniOptions, '--out', at('features'));
  await inProcess('train', at('features'), '--epochs', '1', '--units', '4', '--out', at('classifier'));
  // The driver, where it is one from the cache, has been found by now.
  vi.stubEnv('CONVBASE_CACHE', at('cache'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});
afterEach(async () => {
  watchFileOperations(undefined);
  await clean();
});

/** What is there to begin with. */
const given = ['classifier', 'features', 'pictures'];

async function clean(): Promise<void> {
  for (const name of await readdir(root)) if (!given.includes(name)) await rm(at(name), { recursive: true });
}

/** What a system may say to any change, and what is told of it. */
const errors = {
  ENOSPC: /the disk is full/,
  EDQUOT: /your disk quota is used up/,
  EFBIG: /larger than this file system or limit allows/,
  EROFS: /the file system is read-only/,
  EACCES: /permission denied/,
  EPERM: /permission denied/,
  EIO: /reports an error/,
  EMFILE: /this process has too many files open/,
  ENFILE: /the system has too many files open/,
  EBUSY: /another program is using it/,
  ENAMETOOLONG: /too long/,
  ENOMEM: /no memory left/,
  // No file operation gives this one; it stands for all that are in no table.
  ENOTCONN: /ENOTCONN: from the system/,
} as const;
type ErrorName = keyof typeof errors;
const names = Object.keys(errors) as ErrorName[];

function fromSystem(code: ErrorName): Error {
  return Object.assign(new Error(`${code}: from the system`), { code, errno: -constants.errno[code] });
}

/** Runs a command and returns what it did to files; `fail` may throw instead of any of it. */
async function watched(
  args: readonly string[],
  fail: (place: number, operation: FileOperation) => void = () => undefined,
): Promise<{ operations: FileOperation[]; code: number | null; stderr: string }> {
  const operations: FileOperation[] = [];
  watchFileOperations((operation) => {
    operations.push(operation);
    fail(operations.length - 1, operation);
  });
  const { code, stderr } = await inProcess(...args);
  watchFileOperations(undefined);
  return { operations, code, stderr };
}

const stages = ['--unfreeze-last', '2', '--epochs', '1', '--head-epochs', '1', '--units', '4'];
const commands: Record<string, () => readonly string[]> = {
  extract: () => ['extract', at('pictures'), ...miniOptions, '--out', out()],
  'train from features': () => ['train', at('features'), '--epochs', '1', '--units', '2', '--out', out()],
  'train from pictures': () => [
    ...['train', at('pictures'), ...miniOptions, '--epochs', '1', '--units', '2', '--out', out()],
  ],
  finetune: () => ['finetune', at('pictures'), ...miniOptions, ...stages, '--out', out()],
  'convert to a folder': () => ['convert', miniModel, out()],
  'convert to .keras': () => ['convert', at('classifier'), out('x.keras')],
  'convert to .weights.h5': () => ['convert', miniModel, out('x.weights.h5')],
  'convert to .safetensors': () => ['convert', miniModel, out('x.safetensors')],
  augment: () => ['augment', at('pictures'), '--horizontal-flip', '--preview', out('x.png')],
  profile: () => ['profile', miniModel, '--size', '20', '--trace', out('x.json')],
  tune: () => ['tune', miniModel, '--size', '20'],
};

/** At most so many places of a command are tried, each with another error. */
const PLACES = 8;
/** Measuring takes a second each time. */
const PLACES_TO_TUNE = 2;

it.each(Object.entries(commands))('%s', { timeout: 60_000 }, async (command, args) => {
  const whole = await watched(args());
  expect(whole.code).toBe(0);
  const count = whole.operations.length;
  expect(count).toBeGreaterThan(0);
  await clean();
  const step = Math.max(1, count / (command === 'tune' ? PLACES_TO_TUNE : PLACES));
  for (let next = 0; next < count; next += step) {
    const place = Math.floor(next);
    const name = names[place % names.length] ?? 'EIO';
    let failed: FileOperation | undefined;
    const { code, stderr } = await watched(args(), (now, operation) => {
      if (now !== place) return;
      failed = operation;
      throw fromSystem(name);
    });
    const what = `${failed?.kind ?? 'nothing'} ${failed?.path ?? ''}, ${name}:\n${stderr}`;
    expect(stderr, what).not.toMatch(/a fault in convbase itself|\n {4}at /);
    // What only saves time may fail: it is warned of, and the work is done.
    const isHelp = failed?.path.startsWith(at('cache')) === true && command !== 'tune';
    // A lock is taken whether or not its temporary name can be removed: the next process that sees that does so.
    const isLeft = failed?.kind === 'remove' && /[/.]lock\.[^/]*\.partial$/.test(failed.path);
    expect(code, what).toBe(isHelp || isLeft || failed === undefined ? 0 : 1);
    if (code !== 0) expect(stderr, what).toMatch(errors[name]);
    if (failed?.kind !== 'remove') expect(await halfMade(), what).toEqual([]);
    await clean();
  }
});

/** The files that are not complete; those of features, with which the same command goes on, aside. */
async function halfMade(): Promise<string[]> {
  const all = await readdir(root, { recursive: true });
  return all.filter((name) => name.endsWith('.partial') && !/\.npy\.partial$|features\.partial$/.test(name));
}
