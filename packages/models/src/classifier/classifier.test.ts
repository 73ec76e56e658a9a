import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier } from './classifier.ts';
import type { ClassifierConfig } from './config.ts';
import { buildHead, classProbabilities, headLoss } from './head.ts';

const config: ClassifierConfig = {
  format: 'convbase-classifier',
  version: 1,
  base: { model: 'vgg16', weights: null, checksum: 'abc', layer: 'block5_pool' },
  input: { size: [48, 48], preprocess: 'caffe', resize: 'nearest' },
  classNames: ['a', 'b', 'c'],
  featureShape: [2, 1, 3],
  head: { units: 5, activation: 'relu', dropout: 0.5 },
  training: {
    optimizer: 'adam',
    learningRate: 1e-3,
    epochs: 1,
    batchSize: 4,
    seed: 0,
    samples: 4,
    adapter: 'test',
    history: { loss: [0.5, NaN] },
  },
};

let gpu: Gpu;
let folder: string;
beforeAll(async () => {
  gpu = await openGpu();
  folder = await mkdtemp(join(tmpdir(), 'convbase-classifier-'));
});
afterAll(async () => {
  gpu.destroy();
  await rm(folder, { recursive: true });
});

describe('buildHead', () => {
  it('is the dense head of the notebooks', () => {
    const head = buildHead({
      featureShape: [4, 4, 512],
      classCount: 2,
      units: 256,
      activation: 'relu',
      dropout: 0.5,
    });
    expect(head.layers.map((layer) => layer.name)).toEqual([
      'features',
      'flatten',
      'dense',
      'dropout',
      'predictions',
    ]);
    expect(head.countParams()).toBe(8192 * 256 + 256 + 257);
    expect(headLoss(2)).toBe('binaryCrossentropy');
    expect(headLoss(3)).toBe('categoricalCrossentropy');
  });
});

/** The name of the file with the weights. */
async function headOf(path: string): Promise<string> {
  const head = (await readdir(path)).find((name) => name.startsWith('head'));
  expect(head).toMatch(/^head-[0-9a-f]{12}\.safetensors$/);
  return head ?? '';
}

describe('Classifier', () => {
  const { featureShape, classNames, head } = config;
  const classifier = new Classifier(
    config,
    buildHead({ featureShape, classCount: classNames.length, ...head }),
  );
  const features = { data: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)), shape: [2, 2, 1, 3] };

  it('predicts the same after a round trip through its folder', async () => {
    classifier.head.to(gpu);
    const expected = await classifier.predict(features);
    const path = join(folder, 'round-trip');
    await classifier.save(path);
    expect(await readdir(path)).toEqual(['classifier.json', await headOf(path)]);
    const loaded = await Classifier.load(path);
    loaded.head.to(gpu);
    expect(loaded.config).toEqual(config);
    expect(await loaded.predict(features)).toEqual(expected);
    for (const row of expected) {
      expect(row.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
      expect(row[0]?.probability).toBeGreaterThanOrEqual(row[1]?.probability ?? NaN);
    }
    loaded.head.dispose();
  });

  it('says what is wrong with a folder', async () => {
    const path = join(folder, 'altered');
    await classifier.save(path);
    const file = join(path, 'classifier.json');
    const good = await readFile(file, 'utf8');
    await writeFile(file, good.replace('"units": 5', '"units": 6'));
    await expect(Classifier.load(path)).rejects.toThrow(
      /'dense\/kernel' is float32 \[6,5\], not float32 \[6,6\]/,
    );
    await writeFile(file, good.replace('"relu"', '"gelu"'));
    await expect(Classifier.load(path)).rejects.toMatchObject({ code: 'classifier/config', where: file });
    await writeFile(file, good.slice(0, 100));
    await expect(Classifier.load(path)).rejects.toThrow(/not JSON/);
    await writeFile(file, good);
    const head = join(path, await headOf(path));
    const weights = await readFile(head);
    const flipped = Buffer.from(weights);
    flipped[weights.length - 5] = (flipped[weights.length - 5] ?? 0) ^ 1;
    await writeFile(head, flipped);
    await expect(Classifier.load(path)).rejects.toThrow(/it was altered/);
    await writeFile(head, weights.subarray(0, weights.length - 8));
    await expect(Classifier.load(path)).rejects.toMatchObject({ name: 'ConvbaseError' });
    await expect(Classifier.load(join(folder, 'none'))).rejects.toMatchObject({ code: 'file/missing' });
    // Sparse: it takes no room on the disk.
    await truncate(file, 1e11);
    await expect(Classifier.load(path)).rejects.toMatchObject({ code: 'file/too-large' });
    classifier.head.dispose();
    expect(gpu.memory().liveBuffers).toBe(0);
  });
});

describe('classProbabilities', () => {
  it('gives both classes of a sigmoid', () => {
    expect(classProbabilities([0.25])).toEqual([0.75, 0.25]);
    expect(classProbabilities([0.2, 0.8])).toEqual([0.2, 0.8]);
  });
});
