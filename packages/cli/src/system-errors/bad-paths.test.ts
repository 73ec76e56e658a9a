import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { inProcess } from '../testing/runs.ts';
import { miniModel, miniOptions, writePictures } from '../testing/samples.ts';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);
const picture = (): string => at('pictures', 'bars', '000.bmp');

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-paths-'));
  await writePictures(at('pictures'), 4);
  await inProcess('extract', at('pictures'), ...miniOptions, '--out', at('features'));
  await inProcess('train', at('features'), '--epochs', '1', '--units', '4', '--out', at('classifier'));
  await inProcess('convert', at('classifier'), at('classifier.keras'));
  await writeFile(at('file'), 'text');
  await writeFile(at('figures.json'), '{"figures":[]}');
  await mkdir(at('empty'));
  await symlink('circle', at('circle'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

/** A path that nothing can be done with: its name up to where that begins, and what the system says of it. */
interface BadPath {
  readonly path: () => string;
  readonly says: RegExp;
}

const anywhere: Record<string, BadPath> = {
  'a name of 300 characters': { path: () => at('n'.repeat(300)), says: /too long/ },
  'links in a circle': { path: () => at('circle'), says: /a link in its path leads in a circle/ },
  'a name with NUL': { path: () => at('a\0b'), says: /no file can have this name/ },
};

const nothing = /no such file|neither a known model|no such weight file/;
const toRead: Record<string, BadPath> = {
  ...anywhere,
  'what is not there': { path: () => '/proc/nope', says: nothing },
  'what lies below a file': {
    path: () => at('file', 'x'),
    says: new RegExp(`something in its path is not a folder|${nothing.source}`),
  },
  'a device without an end': {
    path: () => '/dev/zero',
    says: new RegExp(`a pipe or a device|not a folder|is no classifier|${nothing.source}`),
  },
  'a folder with nothing in it': {
    path: () => at('empty'),
    says: /no such file|a folder where a file|no class folders|no picture|no \.safetensors|is no classifier|neither a/,
  },
  'a file of another kind': {
    path: () => at('file'),
    says: /no model or weight file|not a folder|is no classifier|not a JPEG|Invalid input|not JSON/,
  },
};

const toWrite: Record<string, BadPath> = {
  ...anywhere,
  'a place below a file': { path: () => at('file', 'x'), says: /not a folder/ },
  'a place below a device': { path: () => '/dev/null/x', says: /not a folder/ },
  'a place in /proc': { path: () => '/proc/nope/x', says: /no such file|lets nobody make a folder here/ },
};

const size = ['--preprocess', 'rescale', '--size', '20'];
const stages = ['--unfreeze-last', '2', '--epochs', '1', '--head-epochs', '1', '--units', '4'];
const flip = '--horizontal-flip';
const recipe = 'catsdogs-vgg16-features-150';
const out = (): readonly string[] => ['--out', at('out')];

/** Every place where a command reads. */
const reading: Record<string, (path: string) => readonly string[]> = {
  'summary MODEL': (path) => ['summary', path],
  'extract DIR': (path) => ['extract', path, ...miniOptions, ...out()],
  'extract --model': (path) => ['extract', at('pictures'), '--model', path, ...size, ...out()],
  'extract --weights': (path) => ['extract', at('pictures'), '--model', 'vgg16', '--weights', path, ...out()],
  'train DIR': (path) => ['train', path, ...out()],
  'train --validation': (path) => ['train', at('features'), '--validation', path, ...out()],
  'finetune DIR': (path) => ['finetune', path, '--model', miniModel, ...size, ...stages, ...out()],
  'finetune --model': (path) => ['finetune', at('pictures'), '--model', path, ...size, ...stages, ...out()],
  'finetune --weights': (path) => [
    ...['finetune', at('pictures'), '--model', 'vgg16', '--weights', path],
    ...[...size, ...stages, ...out()],
  ],
  'evaluate CLASSIFIER on features': (path) => ['evaluate', path, at('features')],
  'evaluate CLASSIFIER on pictures': (path) => ['evaluate', path, at('pictures')],
  'evaluate DIR': (path) => ['evaluate', at('classifier'), path],
  'evaluate --weights': (path) => ['evaluate', at('classifier'), at('pictures'), '--weights', path],
  'predict CLASSIFIER': (path) => ['predict', path, picture()],
  'predict PICTURE': (path) => ['predict', at('classifier'), path],
  'predict --weights': (path) => ['predict', at('classifier'), picture(), '--weights', path],
  'convert IN': (path) => ['convert', path, at('out.keras')],
  'convert --weights': (path) => ['convert', at('classifier'), at('out.keras'), '--weights', path],
  'augment DIR': (path) => ['augment', path, flip, '--preview', at('out.png')],
  'recipe show': (path) => ['recipe', 'show', path],
  'recipe run': (path) => ['recipe', 'run', path, '--data', at('pictures'), ...out()],
  'recipe run --data': (path) => ['recipe', 'run', recipe, '--data', path, ...out()],
  'profile MODEL': (path) => ['profile', path, '--size', '20'],
  'tune MODEL': (path) => ['tune', path, '--size', '20'],
  'verify DIR': (path) => ['verify', path],
  'bench compare': (path) => ['bench', 'compare', path, path],
  'bench report': (path) => ['bench', 'report', path],
  'bench --with': (path) => ['bench', '--with', path, ...out()],
};

/** Every place where a command writes. */
const writing: Record<string, (path: string) => readonly string[]> = {
  'extract --out': (path) => ['extract', at('pictures'), ...miniOptions, '--out', path],
  'train --out, from features': (path) => ['train', at('features'), '--out', path],
  'train --out, from pictures': (path) => ['train', at('pictures'), ...miniOptions, '--out', path],
  'finetune --out': (path) => [
    ...['finetune', at('pictures'), '--model', miniModel, ...size, ...stages],
    ...['--out', path],
  ],
  'recipe run --out': (path) => ['recipe', 'run', recipe, '--data', at('pictures'), '--out', path],
  'convert to a folder': (path) => ['convert', miniModel, path],
  'convert to .keras': (path) => ['convert', miniModel, `${path}.keras`],
  'convert to .weights.h5': (path) => ['convert', miniModel, `${path}.weights.h5`],
  'convert to .safetensors': (path) => ['convert', at('classifier.keras'), `${path}.safetensors`],
  'augment --preview': (path) => ['augment', at('pictures'), flip, '--preview', `${path}.png`],
  'profile --trace': (path) => ['profile', miniModel, '--size', '20', '--trace', path],
  'verify --save': (path) => ['verify', '--save', path],
  'bench --out': (path) => ['bench', '--out', path],
};

async function everything(): Promise<string[]> {
  return (await readdir(root, { recursive: true })).sort();
}

/** Runs what must fail at once, say what the system said and where, and leave nothing behind. */
async function refused(args: readonly string[], { path, says }: BadPath): Promise<void> {
  const before = await everything();
  const begin = Date.now();
  const { code, stdout, stderr } = await inProcess(...args);
  const error = /^error: .*/ms.exec(stderr)?.[0] ?? stderr;
  expect(error).toMatch(says);
  // A path below one that is in the way may be named by that one.
  expect(error).toContain(visibleStart(path()));
  expect(stderr).not.toMatch(/a fault in convbase itself|\n {4}at /);
  expect([1, 2]).toContain(code);
  expect(stdout).toBe('');
  expect(await everything()).toEqual(before);
  expect(Date.now() - begin).toBeLessThan(10_000);
}

function visibleStart(path: string): string {
  return path.replace(/(?<=file|\/dev\/null|\/proc\/nope)\/x$/, '').replace('\0', '\\x00');
}

describe.each(Object.entries(reading))('%s', (_place, args) => {
  it.each(Object.entries(toRead))('%s', (_kind, bad) => refused(args(bad.path()), bad));
});

describe.each(Object.entries(writing))('%s', (place, args) => {
  const hasEnding = place.includes('to .') || place.startsWith('augment');
  const kinds = Object.entries(toWrite).filter(([kind]) => !hasEnding || kind !== 'links in a circle');
  it.each(kinds)('%s', (_kind, bad) => refused(args(bad.path()), bad));
});

/** What looks into the cache for its own sake. */
const ofCache = [
  ['cache', 'list'],
  ['cache', 'clear'],
  ['weights', 'list'],
  ['weights', 'path', 'vgg16'],
];

describe.each(ofCache.map((args) => [args.join(' '), args] as const))('%s', (_name, args) => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  const kinds = Object.entries(anywhere).filter(([kind]) => kind !== 'a name with NUL');
  it.each(kinds)('CONVBASE_CACHE: %s', async (_kind, bad) => {
    vi.stubEnv('CONVBASE_CACHE', bad.path());
    await refused(args, bad);
  });
});
