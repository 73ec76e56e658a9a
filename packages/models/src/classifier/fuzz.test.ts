import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConvbaseError } from '@convbase/base';
import { damage, damages } from '../../../base/src/testing/damage.ts';
import { damagedJson, jsonDamages } from '../../../base/src/testing/damaged-json.ts';
import { endsWell, fuzz } from '../../../base/src/testing/fuzz.ts';
import { parseClassifierInfo } from '../save/classifier-info.ts';
import { Classifier } from './classifier.ts';
import type { ClassifierConfig } from './config.ts';
import { buildHead } from './head.ts';

const input = { size: [48, 48], preprocess: 'caffe', resize: 'nearest' } as const;
const config: ClassifierConfig = {
  ...{ format: 'convbase-classifier', version: 1, classNames: ['a', 'b', 'c'], featureShape: [2, 1, 3] },
  base: { model: 'vgg16', weights: null, checksum: 'abc', layer: 'block5_pool' },
  input: { ...input, size: [48, 48] },
  head: { units: 5, activation: 'relu', dropout: 0.5 },
  training: {
    ...{ optimizer: 'adam', learningRate: 1e-3, epochs: 1, batchSize: 4, seed: 0, samples: 4 },
    ...{ adapter: 'test', history: { loss: [0.5] } },
  },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-fuzz-'));
  await new Classifier(config, buildHead({ ...config.head, featureShape: [2, 1, 3], classCount: 3 })).save(
    folder,
  );
});
afterAll(() => rm(folder, { recursive: true }));

test('a classifier folder', async () => {
  const configFile = join(folder, 'classifier.json');
  const weightsFile = join(folder, 'head.safetensors');
  const saved = JSON.parse(await readFile(configFile, 'utf8')) as unknown;
  const weights = new Uint8Array(await readFile(weightsFile));
  expect((await Classifier.load(folder)).config).toEqual(config);
  await fuzz(jsonDamages, 300, async (list) => {
    await writeFile(configFile, damagedJson(saved, list));
    await endsWell(() => Classifier.load(folder));
  });
  await writeFile(configFile, JSON.stringify(saved));
  await fuzz(damages, 150, async (list) => {
    const damaged = damage(weights, list, [0, 8, 100, 300]);
    await writeFile(weightsFile, damaged);
    const result = await endsWell(() => Classifier.load(folder));
    if (Buffer.compare(damaged, weights) !== 0) expect(result).toBeInstanceOf(ConvbaseError);
  });
});

test('what a classifier file says of itself', async () => {
  const info = {
    format: 'convbase-classifier-file',
    version: 1,
    classNames: ['a', 'b'],
    input,
    training: { a: [1, {}] },
  };
  expect(parseClassifierInfo(JSON.stringify(info), 'x').classNames).toEqual(['a', 'b']);
  await fuzz(jsonDamages, 1000, async (list) => {
    await endsWell(() => parseClassifierInfo(damagedJson(info, list), 'x'));
  });
});

test('a configuration of 100 GB', async () => {
  const large = await mkdtemp(join(tmpdir(), 'convbase-large-'));
  await writeFile(join(large, 'classifier.json'), '');
  // Sparse: it takes no room on the disk.
  await truncate(join(large, 'classifier.json'), 1e11);
  expect(await endsWell(() => Classifier.load(large))).toMatchObject({ code: 'file/too-large' });
  await rm(large, { recursive: true });
});
