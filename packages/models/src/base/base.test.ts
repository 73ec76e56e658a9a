import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildHead, Classifier, openClassifierBase, type ClassifierConfig } from '../classifier/index.ts';
import { loadModel } from '../graph/index.ts';
import { extractFeatures, featureShape } from './extract-features.ts';
import { openArchitecture } from './open-architecture.ts';
import { openBase } from './open-base.ts';

const golden = join(import.meta.dirname, '../../fixtures/golden');
const mini = join(golden, 'mini_vgg.keras');

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => {
  gpu.destroy();
});

describe('openBase', () => {
  it('cuts a model file at its last layer with height and width, for pictures of any size', async () => {
    const base = await openBase(mini);
    expect(base).toMatchObject({ spec: mini, weights: null, layer: 'block2_pool', defaultSize: [20, 20] });
    expect(base.checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(featureShape(base, [20, 20])).toEqual([5, 5, 12]);
    expect(featureShape(base, [41, 16])).toEqual([10, 4, 12]);
    const middle = await openBase(mini, { layer: 'block1_pool' });
    expect(featureShape(middle, [20, 20])).toEqual([10, 10, 8]);
    expect(middle.checksum).toBe(base.checksum);
  });

  it('says which layers have a name like the one that is missing', async () => {
    await expect(openBase(mini, { layer: 'block2_pol' })).rejects.toThrow(/near that name: block2_pool/);
    await expect(openBase(join(golden, 'mini_vgg.weights.h5'))).rejects.toMatchObject({
      code: 'model/no-config',
    });
    await expect(openBase(mini, { weights: mini })).rejects.toMatchObject({ code: 'base/weights' });
  });
});

describe('extractFeatures', () => {
  it('gives the features of each batch with whatever travels in the batch', async () => {
    const base = await openBase(mini);
    const picture = (seed: number): number[] => Array.from({ length: 1200 }, (_, i) => (i * seed) % 256);
    const batch = (...seeds: number[]) => ({
      x: {
        data: Uint8Array.from(seeds.flatMap(picture)),
        shape: [seeds.length, 20, 20, 3],
        preprocess: 'rescale' as const,
      },
      seeds,
    });
    async function* batches() {
      yield await Promise.resolve(batch(3, 5));
      yield batch(7);
    }
    const rows = new Map<number, Float32Array>();
    for await (const { features, shape, batch } of extractFeatures(base, gpu, batches())) {
      expect(shape).toEqual([batch.seeds.length, 5, 5, 12]);
      batch.seeds.forEach((seed, i) => rows.set(seed, features.slice(i * 300, (i + 1) * 300)));
    }
    expect([...rows.keys()]).toEqual([3, 5, 7]);
    for (const [seed, row] of rows) {
      const alone = await base.model.predict(batch(seed).x);
      // The same sums in the same order, whatever the size of the batch: only the tiling may differ.
      for (const [i, value] of row.entries()) expect(alone.data[i]).toBeCloseTo(value, 5);
    }
    base.model.dispose();
    expect(gpu.memory().liveBuffers).toBe(0);
  });
});

describe('openArchitecture', () => {
  it('needs no weights', async () => {
    const vgg16 = await openArchitecture('vgg16', { inputShape: [180, 180, 3] });
    expect(vgg16.outputs[0]?.shape).toEqual([null, 5, 5, 512]);
    expect(vgg16.countParams()).toBe(14_714_688);
    const cut = await openArchitecture(mini, { until: 'block1_pool' });
    expect(cut.outputs[0]?.shape).toEqual([null, 10, 10, 8]);
    await expect(openArchitecture(join(golden, 'mini_vgg.weights.h5'))).rejects.toMatchObject({
      code: 'model/no-config',
    });
  });
});

describe('a model file that describes no model', () => {
  it.each([
    ['openBase', openBase],
    ['openArchitecture', openArchitecture],
    ['loadModel', (path: string) => loadModel(path)],
  ])('is named by %s, with the layer', async (_, open) => {
    const path = join(mkdtempSync(join(tmpdir(), 'convbase-odd-')), 'model.json');
    const layers = [
      { class_name: 'InputLayer', config: { name: 'in', batch_input_shape: [null, 8, 8, 3] } },
      { class_name: 'Odd', config: { name: 'o' } },
    ];
    const topology = { class_name: 'Sequential', config: { name: 'm', layers } };
    const json = { format: 'layers-model', modelTopology: { model_config: topology }, weightsManifest: [] };
    writeFileSync(path, JSON.stringify(json));
    await expect(open(path)).rejects.toMatchObject({
      code: 'graph/layer',
      where: `${path}, m, layer o`,
      message: expect.stringMatching(/no layer Odd\n {2}It has .*Conv2D/) as string,
    });
    rmSync(dirname(path), { recursive: true });
  });
});

describe('openClassifierBase', () => {
  it('opens the base with the very weights the classifier was trained on, wherever they are now', async () => {
    const { checksum } = await openBase(mini);
    const head = { units: 0, activation: 'relu', dropout: 0 } as const;
    const shape = { featureShape: [5, 5, 12], classNames: ['a', 'b'] };
    const config: ClassifierConfig = {
      format: 'convbase-classifier',
      version: 1,
      base: { model: '/gone/model.keras', weights: null, checksum, layer: 'block2_pool' },
      input: { size: [20, 20], preprocess: 'rescale', resize: 'nearest' },
      ...shape,
      head,
      training: {
        optimizer: 'adam',
        learningRate: 1e-3,
        epochs: 0,
        batchSize: 1,
        seed: 0,
        samples: 1,
        adapter: 'test',
        history: {},
      },
    };
    const built = buildHead({ featureShape: shape.featureShape, classCount: 2, ...head });
    const classifier = new Classifier(config, built);
    await expect(openClassifierBase(classifier)).rejects.toMatchObject({ code: 'model/unknown' });
    expect((await openClassifierBase(classifier, { weights: mini })).layer).toBe('block2_pool');
    const other = join(golden, 'mini_vgg.h5');
    await expect(openClassifierBase(classifier, { weights: other })).rejects.toMatchObject({
      code: 'classifier/base',
      where: other,
    });
  });
});
