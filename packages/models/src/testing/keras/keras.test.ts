import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { SGD, sizeOf, type Model } from '@convbase/layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../../formats/testing/files.ts';
import { configOf, loadModel } from '../../graph/index.ts';
import { saveClassifierFile, saveModel } from '../../save/index.ts';
import { Keras, kerasPython } from './keras.ts';

const models = ['mini_vgg', 'mini_inception', 'nested', 'nested_twice', 'chapter', 'operations'];

/** Numbers in [-1, 1) from the sine, the same everywhere. */
const batch = (model: Model, count: number): { data: Float32Array; shape: number[] } => {
  const shape = [count, ...(model.inputs[0]?.shape.slice(1) ?? []).map((extent) => extent ?? 1)];
  const data = Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => (Math.sin(i * 12.9898) * 43758.5453) % 1,
  );
  return { data, shape };
};

const relativeError = (actual: Float32Array, expected: Float32Array): number => {
  expect(actual).toHaveLength(expected.length);
  const norm = (values: Float32Array): number =>
    Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
  return norm(actual.map((value, i) => value - (expected[i] ?? 0))) / norm(expected);
};

describe.skipIf(kerasPython === undefined)('with the Keras of CONVBASE_KERAS_PYTHON', () => {
  let gpu: Gpu;
  let keras: Keras;
  let folder: string;
  beforeAll(async () => {
    gpu = await openGpu();
    keras = new Keras();
    folder = await mkdtemp(join(tmpdir(), 'convbase-keras-'));
  });
  afterAll(async () => {
    keras.close();
    gpu.destroy();
    await rm(folder, { recursive: true });
  });

  const load = (path: string): Promise<Model> => loadModel(path, { gpu });
  const ours = async (model: Model, x: { data: Float32Array; shape: number[] }): Promise<Float32Array> => {
    const { data } = await model.predict(x);
    return Float32Array.from(data);
  };

  describe.each(models)('%s', (name) => {
    test('Keras reads the config that was written as its own', async () => {
      const path = join(folder, `${name}.keras`);
      await saveModel(await load(fixture(`${name}.keras`)), path);
      const mine = await keras.describe(path);
      const original = await keras.describe(fixture(`${name}.keras`));
      // Running numbers of objects that Keras shares between layers are its own affair, and a constant may be written
      // as an array of NumPy's or of the backend's.
      const plain = (value: unknown): unknown =>
        JSON.parse(
          JSON.stringify(value, (key, inner: unknown) =>
            key === 'shared_object_id' || key === 'compile_config'
              ? undefined
              : inner === '__numpy__'
                ? '__tensor__'
                : inner,
          ),
        );
      expect(plain(mine)).toEqual(plain(original));
    });

    test('.keras, .weights.h5 and classifier file predict the same there', async () => {
      const model = await load(fixture(`${name}.keras`));
      const x = batch(model, 3);
      const y = await ours(model, x);
      const path = (ending: string): string => join(folder, `${name}${ending}`);
      await saveModel(model, path('.keras'));
      await saveModel(model, path('.weights.h5'));
      await saveClassifierFile(path('_classifier.keras'), model, {
        classNames: ['a', 'b'],
        input: { size: [20, 20], preprocess: 'none', resize: 'nearest' },
        training: {},
      });
      expect(relativeError(await keras.predict(path('.keras'), x.data), y)).toBeLessThan(1e-5);
      expect(relativeError(await keras.predict(path('_classifier.keras'), x.data), y)).toBeLessThan(1e-5);
      const withWeights = await keras.predict(path('.keras'), x.data, path('.weights.h5'));
      expect(relativeError(withWeights, y)).toBeLessThan(1e-5);
    });
  });

  test('training goes on from here to Keras and back, as if nobody had changed', async () => {
    const loss = { learningRate: 0.05, loss: 'binary_crossentropy', steps: 2 };
    const start = fixture('mini_vgg.keras');
    const model = await load(start);
    const x = batch(model, 4);
    const y = { data: Float32Array.of(0, 1, 1, 0), shape: [4, 1] };
    const file = (name: string): string => join(folder, `${name}.keras`);
    const here = async (from: string, to: string): Promise<number[]> => {
      const trained = await load(from);
      trained.compile({
        optimizer: new SGD({ learningRate: loss.learningRate }),
        loss: 'binaryCrossentropy',
      });
      const losses: number[] = [];
      for (let step = 0; step < loss.steps; step++) {
        losses.push((await trained.trainOnBatch({ x, y }))['loss'] ?? Number.NaN);
      }
      await saveModel(trained, to);
      return losses;
    };
    const there = (from: string, to: string): Promise<number[]> =>
      keras.train({ model: from, x: x.data, y: y.data, out: to, ...loss });

    const mixed = [
      ...(await there(start, file('one'))),
      ...(await here(file('one'), file('two'))),
      ...(await there(file('two'), file('three'))),
      ...(await here(file('three'), file('four'))),
    ];
    const pure = await keras.train({
      model: start,
      x: x.data,
      y: y.data,
      out: file('pure'),
      ...loss,
      steps: 8,
    });
    expect(relativeError(Float32Array.from(mixed), Float32Array.from(pure))).toBeLessThan(1e-5);
    const end = await ours(await load(file('four')), x);
    expect(relativeError(end, await keras.predict(file('pure'), x.data))).toBeLessThan(1e-4);
    expect(configOf(await load(file('four')))).toEqual(configOf(model));
  });
});
