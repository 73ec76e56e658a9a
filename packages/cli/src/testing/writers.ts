import { spawn } from 'node:child_process';
import { cp, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '@convbase/base/node';
import { Classifier, loadModel, openClassifierFile, readSafetensors } from '@convbase/models';
import { expect } from 'vitest';
import { bin, inChild } from './runs.ts';
import { miniOptions, miniModel, writePictures } from './samples.ts';

/** A command that writes into a place of a user's, as tests kill it and start it several times at once. */
export interface WritingCommand {
  readonly name: string;
  /** Makes what is there before it is first run. */
  readonly prepare?: (out: string) => Promise<void>;
  readonly args: (out: string) => readonly string[];
  /** What has to be true of the place at any moment: what is there is whole. */
  readonly isWhole?: (out: string) => Promise<void>;
}

/** Where a test's pictures are. */
export interface Samples {
  readonly pictures: string;
  readonly parts: string;
  readonly recipe: string;
  readonly earlier: string;
}

/** Pictures in classes, one of which cannot be read, and in parts; a recipe for a sweep; an earlier classifier and model. */
export async function writeSamples(root: string, env: NodeJS.ProcessEnv): Promise<Samples> {
  const at = (...parts: string[]): string => join(root, ...parts);
  await writePictures(at('pictures'), 6, 1);
  await writeFile(at('pictures', 'bars', '0000.bmp'), 'no picture');
  await writePictures(at('parts', 'train'), 6, 1);
  await writePictures(at('parts', 'validation'), 3, 2);
  await writePictures(at('parts', 'test'), 3, 3);
  await writeFile(
    at('sweep.yaml'),
    `title: heads
data: { kind: folder, train: [train], validation: [validation], test: [test],
  size: 20, resize: nearest, preprocess: rescale, batchSize: 4 }
model: { base: ${JSON.stringify(miniModel)}, head: { units: 4, activation: relu, dropout: 0.3 } }
sweep: blocks
stages:
  - { name: head, unfreeze: none, optimizer: { name: adam }, epochs: 2, restoreBest: val_loss }
`,
  );
  const train = ['train', at('pictures'), ...miniOptions, '--on-bad-image', 'skip', '--epochs', '1'];
  const made = await inChild([...train, '--units', '4', '--out', at('earlier', 'classifier')], { env });
  expect(made.code, made.stderr).toBe(0);
  const other = miniModel.replace('mini_vgg', 'mini_inception');
  for (const target of ['web/', 'model.keras']) {
    const saved = await inChild(['convert', other, at('earlier', target)], { env });
    expect(saved.code, saved.stderr).toBe(0);
  }
  return { pictures: at('pictures'), parts: at('parts'), recipe: at('sweep.yaml'), earlier: at('earlier') };
}

/** What convbase computes goes into a cache of its own; the driver, where it is convbase's, stays the machine's. */
export async function ownCache(folder: string): Promise<NodeJS.ProcessEnv> {
  await mkdir(folder, { recursive: true });
  await symlink(join(cacheFolder(), 'drivers'), join(folder, 'drivers'));
  return { CONVBASE_CACHE: folder };
}

/** All commands that write what users keep. */
export function writingCommands({ pictures, parts, recipe, earlier }: Samples): readonly WritingCommand[] {
  const wholeRun = async (out: string): Promise<void> => {
    if (await isThere(join(out, 'run.json'))) JSON.parse(await readFile(join(out, 'run.json'), 'utf8'));
    for (const name of await names(out)) {
      const path = join(out, name);
      if (name.endsWith('.safetensors')) {
        const { tensors } = readSafetensors(await readFile(path), path);
        for (const tensor of tensors.values()) tensor.read();
      }
      if (name.endsWith('.keras')) await openClassifierFile(path);
    }
  };
  const wholeModel = async (path: string): Promise<void> => {
    const model = await loadModel(path);
    expect(model.weights.every((weight) => weight.assigned)).toBe(true);
  };
  const skipping = [...miniOptions, '--on-bad-image', 'skip'];
  return [
    {
      name: 'extract',
      args: (out) => ['extract', pictures, ...skipping, '--batch-size', '4', '--out', out],
    },
    {
      name: 'train',
      // Over an earlier classifier, which works until the new one does.
      prepare: (out) => cp(join(earlier, 'classifier'), out, { recursive: true }),
      args: (out) => [
        ...['train', pictures, ...skipping, '--units', '6', '--epochs', '2', '--batch-size', '4'],
        ...['--validation', parts + '/test', '--seed', '3', '--out', out],
      ],
      async isWhole(out) {
        const { config } = await Classifier.load(out);
        expect([0, 3]).toContain(config.training.seed);
      },
    },
    {
      name: 'finetune',
      args: (out) => [
        ...['finetune', parts, ...miniOptions, '--resize', 'nearest', '--batch-size', '4', '--units', '4'],
        ...['--head-epochs', '1', '--epochs', '1', '--unfreeze-last', '3', '--checkpoint-seconds', '0'],
        ...['--augmentation', 'layers', '--resume', '--out', out],
      ],
      isWhole: wholeRun,
    },
    {
      name: 'recipe run',
      args: (out) => ['recipe', 'run', recipe, '--data', parts, '--resume', '--out', out],
      isWhole: wholeRun,
    },
    {
      name: 'convert to TensorFlow.js',
      prepare: (out) => cp(join(earlier, 'web'), out, { recursive: true }),
      args: (out) => ['convert', miniModel, `${out}/`, '--force'],
      isWhole: (out) => wholeModel(join(out, 'model.json')),
    },
    {
      name: 'convert to Keras',
      async prepare(out) {
        await mkdir(out);
        await cp(join(earlier, 'model.keras'), join(out, 'model.keras'));
      },
      args: (out) => ['convert', miniModel, join(out, 'model.keras'), '--force'],
      isWhole: (out) => wholeModel(join(out, 'model.keras')),
    },
  ];
}

/** Kills a process before an operation on files, or counts them. */
const killAt = join(import.meta.dirname, 'kill-at.js');

/** Starts a command and kills it: before an operation on files (`at`), or after some time. True if it was killed. */
export function killed(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  when: { readonly at: number } | { readonly afterMs: number },
): Promise<boolean> {
  const number = 'at' in when ? { CONVBASE_KILL_AT: String(when.at + 1) } : {};
  const child = spawn(process.execPath, ['--import', killAt, bin, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env, ...number },
  });
  const timer = 'at' in when ? undefined : setTimeout(() => child.kill('SIGKILL'), when.afterMs);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== null && code !== 0) reject(new Error(`ended with ${code}: ${stderr}`));
      else resolve(signal === 'SIGKILL');
    });
  });
}

/** The operations on files of a command, in order. */
export async function operationsOf(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  list: string,
): Promise<readonly string[]> {
  const preload = { NODE_OPTIONS: `--import ${killAt}`, CONVBASE_OPERATIONS: list };
  const whole = await inChild(args, { env: { ...env, ...preload } });
  expect(whole.code, whole.stderr).toBe(0);
  return (await readFile(list, 'utf8')).trimEnd().split('\n');
}

/**
 * What is in a place, by name: all bytes, but for what holds times or the names of processes. Of `run.json` and
 * `log.jsonl` all but the times counts, of `report.html`, TensorBoard's events and the last checkpoint that they are there.
 */
export async function results(out: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await names(out)) {
    if (name.includes('tfevents')) continue;
    const text = await readFile(join(out, name), 'base64');
    const plain = Buffer.from(text, 'base64').toString();
    if (name === 'run.json') found[name] = withoutTimes(plain);
    else if (name === 'log.jsonl') found[name] = plain.replaceAll(/"time":"[^"]*"/g, '');
    else if (/report\.html$|last\.safetensors$/.test(name)) found[name] = 'there';
    else found[name] = text;
  }
  return found;
}

/** The names of those results in which two places differ, with what each has where it is text. */
export function differences(found: Record<string, string>, expected: Record<string, string>): string[] {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
  const short = (value: string | undefined): string => value?.slice(0, 2000) ?? 'nothing';
  return [...names]
    .filter((name) => found[name] !== expected[name])
    .map((name) => `${name}: ${short(found[name])} and not ${short(expected[name])}`);
}

/** Files that only a process at work has: locks, half-made files. */
export async function leftovers(...folders: readonly string[]): Promise<string[]> {
  const all = await Promise.all(folders.map((folder) => names(folder)));
  return all.flat().filter((name) => /\.partial|(^|[/.])lock(\.|$)|\.takeover|\.convbase/.test(name));
}

function withoutTimes(json: string): string {
  const drop = new Set(['seconds', 'input']);
  return JSON.stringify(JSON.parse(json), (key, value: unknown) => (drop.has(key) ? undefined : value));
}

/** All files below a folder by their paths, sorted. */
async function names(folder: string): Promise<string[]> {
  if (!(await isThere(folder))) return [];
  const found = await readdir(folder, { recursive: true });
  const files = await Promise.all(
    found.map(async (name) => ((await lstat(join(folder, name))).isFile() ? [name] : [])),
  );
  return files.flat().sort();
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
