import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dense, input, Model } from '@convbase/layers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type * as platform from '#platform';
import { Classifier } from '../classifier/classifier.ts';
import type { ClassifierConfig } from '../classifier/config.ts';
import { buildHead } from '../classifier/head.ts';
import { loadModel } from '../graph/index.ts';
import { saveModel } from './index.ts';

/** Another process saves between two reads of what consists of several files. */

let beforeOpening: ((path: string) => Promise<unknown>) | undefined;
vi.mock('#platform', async (original) => {
  const actual = await original<typeof platform>();
  const openSource = async (path: string): ReturnType<typeof actual.openSource> => {
    await beforeOpening?.(path);
    return actual.openSource(path);
  };
  return { ...actual, openSource };
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-meanwhile-'));
});
afterEach(async () => {
  beforeOpening = undefined;
  await rm(folder, { recursive: true });
});

const config: ClassifierConfig = {
  format: 'convbase-classifier',
  version: 1,
  base: { model: 'vgg16', weights: null, checksum: 'abc', layer: 'block5_pool' },
  input: { size: [48, 48], preprocess: 'caffe', resize: 'nearest' },
  classNames: ['a', 'b', 'c'],
  featureShape: [2],
  head: { units: 0, activation: 'relu', dropout: 0 },
  training: {
    ...{ optimizer: 'adam', learningRate: 1e-3, epochs: 1, batchSize: 4, seed: 0, samples: 4 },
    ...{ adapter: 'test', history: {} },
  },
};

interface Kind {
  /** Saves something that a number tells from others. */
  readonly save: (value: number) => Promise<void>;
  readonly load: () => Promise<number>;
  /** Whether a path is that of a file that the index names. */
  readonly isNamed: RegExp;
}

const firstWeight = async (model: Model): Promise<number> => (await model.weights[0]?.read())?.[0] ?? NaN;

const kinds: Record<string, Kind> = {
  'a classifier': {
    save: async (value) => {
      const head = buildHead({ featureShape: [2], classCount: 3, ...config.head });
      for (const weight of head.weights) weight.assign(new Float32Array(weight.size).fill(value));
      await new Classifier(config, head).save(folder);
    },
    load: async () => firstWeight((await Classifier.load(folder)).head),
    isNamed: /head-[0-9a-f]{12}\.safetensors$/,
  },
  'a model of TensorFlow.js': {
    save: async (value) => {
      const x = input({ shape: [2] });
      const model = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) });
      for (const weight of model.weights) weight.assign(new Float32Array(weight.size).fill(value));
      await saveModel(model, join(folder, 'model.json'));
    },
    load: async () => firstWeight(await loadModel(folder)),
    isNamed: /group1-shard.*\.bin$/,
  },
};

test.each(Object.entries(kinds))('%s that is saved anew meanwhile is read as it is now', async (_, kind) => {
  await kind.save(1);
  let opened = 0;
  beforeOpening = async (path) => {
    if (kind.isNamed.test(path) && ++opened === 1) await kind.save(2);
  };
  expect(await kind.load()).toBe(2);
  expect(opened).toBe(2);
});

test.each(Object.entries(kinds))('%s that lacks a file is refused at once', async (_, kind) => {
  await kind.save(1);
  for (const name of await readdir(folder)) if (kind.isNamed.test(name)) await rm(join(folder, name));
  let opened = 0;
  beforeOpening = (path) => Promise.resolve(kind.isNamed.test(path) && opened++);
  const named = expect.stringMatching(kind.isNamed) as string;
  await expect(kind.load()).rejects.toMatchObject({ code: 'file/missing', where: named });
  expect(opened).toBe(1);
});

test.each(Object.entries(kinds))('%s that is always saved anew is not read for ever', async (_, kind) => {
  await kind.save(0);
  let opened = 0;
  beforeOpening = async (path) => {
    if (kind.isNamed.test(path)) await kind.save(++opened);
  };
  await expect(kind.load()).rejects.toMatchObject({ code: 'file/missing' });
  expect(opened).toBe(5);
});
