import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dense, input, Model } from '@convbase/layers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stoppedEverywhere } from '../../../base/src/testing/stops.ts';
import { Classifier } from '../classifier/classifier.ts';
import type { ClassifierConfig } from '../classifier/config.ts';
import { buildHead } from '../classifier/head.ts';
import { loadModel } from '../graph/index.ts';
import { saveClassifierFile, saveModel } from './index.ts';

/** Saving that ends at any of its operations on files, over something that is there already. */

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-stopped-'));
});
afterEach(() => rm(root, { recursive: true }));

/** The files by name; half-made ones of this process, which still runs, wait for its end. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => !/\.[\w-]+-[\w-]+\.partial$/.test(name));
  const files = names.map(async (name) => {
    return [
      name,
      createHash('sha256')
        .update(await readFile(join(folder, name)))
        .digest('hex'),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

/**
 * Saves one thing, then another over it, stopped everywhere. What `load` makes of the place is one of the two, and saving
 * the other one again leaves what it leaves when nothing stops it.
 */
async function expectWhole<T>(
  one: T,
  other: T,
  save: (what: T, folder: string) => Promise<void>,
  load: (folder: string) => Promise<number>,
): Promise<void> {
  const [first, second] = [join(root, 'first'), join(root, 'second')];
  await save(one, first);
  await cp(first, second, { recursive: true });
  await save(other, second);
  const expected = await contents(second);
  const numbers = [await load(first), await load(second)];
  expect(numbers[0]).not.toBe(numbers[1]);
  const seen = new Set<number>();
  await stoppedEverywhere(
    async (at) => {
      await cp(first, join(root, String(at)), { recursive: true });
      await save(other, join(root, String(at)));
    },
    async (at) => {
      const folder = join(root, String(at));
      const found = await load(folder);
      expect(numbers).toContain(found);
      seen.add(found);
      await save(other, folder);
      expect(await contents(folder)).toEqual(expected);
    },
  );
  expect([...seen]).toEqual(numbers);
}

async function model(bias: number): Promise<Model> {
  const x = input({ shape: [3] });
  const made = new Model({ inputs: x, outputs: new Dense({ units: 2, name: 'dense' }).apply(x), name: 'm' });
  for (const weight of made.weights) weight.assign(new Float32Array(weight.size).fill(bias));
  return made;
}

const firstWeight = async (of: Model): Promise<number> => (await of.weights[0]?.read())?.[0] ?? NaN;

test.each(['m.keras', 'm.weights.h5', 'm.safetensors', 'model.json'])('%s', async (name) => {
  // Weights alone go into a model that is there.
  const load = async (folder: string): Promise<number> => {
    const path = join(folder, name);
    if (name !== 'm.weights.h5') return firstWeight(await loadModel(path));
    return (await readFile(path)).reduce((sum, byte) => sum + byte, 0);
  };
  await expectWhole(
    await model(1),
    await model(2),
    (what, folder) => saveModel(what, join(folder, name)),
    load,
  );
});

test('a classifier in one file', async () => {
  const info = {
    classNames: ['cat', 'dog'],
    input: { size: [20, 20] as [number, number], preprocess: 'rescale' as const, resize: 'nearest' as const },
    training: {},
  };
  await expectWhole(
    await model(1),
    await model(2),
    (what, folder) => saveClassifierFile(join(folder, 'classifier.keras'), what, info),
    async (folder) => firstWeight(await loadModel(join(folder, 'classifier.keras'))),
  );
});

const config: ClassifierConfig = {
  ...{ format: 'convbase-classifier', version: 1, classNames: ['a', 'b'], featureShape: [3] },
  base: { model: 'vgg16', weights: null, checksum: 'abc', layer: 'block5_pool' },
  input: { size: [48, 48], preprocess: 'caffe', resize: 'nearest' },
  head: { units: 0, activation: 'relu', dropout: 0 },
  training: {
    ...{ optimizer: 'adam', learningRate: 1e-3, epochs: 1, batchSize: 4, seed: 0, samples: 4 },
    ...{ adapter: 'test', history: { loss: [0.5] } },
  },
};

function classifier(value: number): Classifier {
  const head = buildHead({ ...config.head, featureShape: [3], classCount: 2 });
  for (const weight of head.weights) weight.assign(new Float32Array(weight.size).fill(value));
  return new Classifier({ ...config, training: { ...config.training, seed: value } }, head);
}

const loadClassifier = async (folder: string): Promise<number> => {
  const { head, config: read } = await Classifier.load(folder);
  expect(await firstWeight(head)).toBe(read.training.seed);
  return read.training.seed;
};

test('the folder of a classifier', async () => {
  await expectWhole(classifier(1), classifier(2), (what, folder) => what.save(folder), loadClassifier);
});

test('a classifier of before files were named by their content works, and is replaced', async () => {
  const old = join(root, 'old');
  await classifier(1).save(old);
  const head = (await readdir(old)).find((name) => name.startsWith('head')) ?? '';
  await cp(join(old, head), join(old, 'head.safetensors'));
  await rm(join(old, head));
  const path = join(old, 'classifier.json');
  const json = await readFile(path, 'utf8');
  await writeFile(path, json.replace(/ *"headFile": .*\n/, ''));
  expect(await loadClassifier(old)).toBe(1);
  await classifier(2).save(old);
  expect(await loadClassifier(old)).toBe(2);
  expect(await readdir(old)).toHaveLength(2);
  for (const name of ['../head.safetensors', '/etc/head.safetensors', 'head', 'a/b.safetensors']) {
    await writeFile(path, json.replace(/"headFile": ".*"/, `"headFile": ${JSON.stringify(name)}`));
    await expect(Classifier.load(old)).rejects.toMatchObject({ code: 'classifier/config', where: path });
  }
});

test('weight files that another model in the folder names stay', async () => {
  const path = join(root, 'model.json');
  await saveModel(await model(1), path);
  await cp(path, join(root, 'earlier.json'));
  const shared = (await readdir(root)).filter((name) => name.endsWith('.bin'));
  await saveModel(await model(2), path);
  expect(await readdir(root)).toEqual(expect.arrayContaining(shared));
  await rm(join(root, 'earlier.json'));
  await saveModel(await model(2), path);
  expect((await readdir(root)).filter((name) => name.endsWith('.bin'))).toHaveLength(1);
});

const unreadable: Record<string, (path: string) => Promise<void>> = {
  'is too large for a model': async (path) => {
    await writeFile(path, '');
    await truncate(path, 2 ** 28 + 1);
  },
  'is a link in a circle': (path) => symlink(path, path),
  ...(process.getuid?.() !== 0 && { 'nobody may read': (path) => writeFile(path, '{}', { mode: 0 }) }),
};

test.skipIf(process.platform === 'win32').each(Object.entries(unreadable))(
  'where other JSON in the folder %s, no weight file goes',
  async (_, make) => {
    const path = join(root, 'model.json');
    await saveModel(await model(1), path);
    const earlier = await readdir(root);
    await make(join(root, 'other.json'));
    await saveModel(await model(2), path);
    expect(await firstWeight(await loadModel(path))).toBe(2);
    expect(await readdir(root)).toEqual(expect.arrayContaining([...earlier, 'other.json']));
    await rm(join(root, 'other.json'));
    await saveModel(await model(2), path);
    expect((await readdir(root)).filter((name) => name.endsWith('.bin'))).toHaveLength(1);
  },
);
