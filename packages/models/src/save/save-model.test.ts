import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchFileOperations } from '@convbase/base/node';
import { Dense, Model, input } from '@convbase/layers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fixture } from '../formats/testing/files.ts';
import { openModelFile } from '../formats/index.ts';
import { configOf, loadModel, loadWeights, modelFromConfig } from '../graph/index.ts';
import {
  modelBytes,
  openClassifierFile,
  saveClassifierFile,
  saveModel,
  tfjsFiles,
  type ClassifierInfo,
} from './index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-save-'));
});
afterEach(() => rm(folder, { recursive: true }));

const models = ['mini_vgg', 'mini_inception', 'nested', 'nested_twice', 'chapter', 'operations'];

const expectSameWeights = async (actual: Model, expected: Model): Promise<void> => {
  expect(actual.weights.map(({ path }) => path)).toEqual(expected.weights.map(({ path }) => path));
  for (const [i, weight] of expected.weights.entries()) {
    const values = await weight.read();
    const read = (await actual.weights[i]?.read()) ?? new Float32Array();
    expect(Buffer.from(read.buffer).equals(Buffer.from(values.buffer)), weight.path).toBe(true);
  }
};

const withOperations = ['chapter', 'operations'];

describe.each(models)('%s', (name) => {
  // TensorFlow.js has no operations between layers.
  const tfjs = withOperations.includes(name) ? [] : ['model.json'];
  test.each(['model.keras', 'model.safetensors', ...tfjs])(
    '%s: config and weights come back as they were',
    async (file) => {
      const model = await loadModel(fixture(`${name}.keras`));
      const path = join(folder, 'a', file);
      await saveModel(model, path);
      const again = await loadModel(path);
      expect(configOf(again)).toEqual(configOf(model));
      await expectSameWeights(again, model);
    },
  );

  test('.weights.h5: weights come back into a model of the same config', async () => {
    const model = await loadModel(fixture(`${name}.keras`));
    const path = join(folder, 'model.weights.h5');
    await saveModel(model, path);
    const again = modelFromConfig(configOf(model));
    const file = await openModelFile(path);
    expect(file.format).toBe('keras-weights-h5');
    loadWeights(again, file);
    file.close();
    await expectSameWeights(again, model);
  });
});

test.each(['model.keras', 'model.weights.h5', 'model.safetensors', 'web/model.json'])(
  '%s: of several that may not overwrite one saves, and a refused one leaves nothing',
  async (name) => {
    const model = await loadModel(fixture('mini_vgg.keras'));
    const path = join(folder, name);
    const save = (): Promise<void> => saveModel(model, path, { overwrite: false });
    const results = await Promise.allSettled([save(), save()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const before = await readdir(folder, { recursive: true });
    const other = modelFromConfig(configOf(model));
    await expect(saveModel(other, path, { overwrite: false })).rejects.toMatchObject({ code: 'file/exists' });
    expect(await readdir(folder, { recursive: true })).toEqual(before);
    if (name.endsWith('.weights.h5')) return;
    await expectSameWeights(await loadModel(path), model);
    await saveModel(other, path);
    await expectSameWeights(await loadModel(path), other);
  },
);

test.each(['new/a/model.keras', 'new/web/model.json'])(
  '%s: a disk that is full leaves no empty folder',
  async (name) => {
    const model = await loadModel(fixture('mini_vgg.keras'));
    for (const kind of ['create', 'write', 'sync'] as const) {
      watchFileOperations((operation) => {
        if (operation.kind === kind && !operation.path.endsWith('.lock')) {
          throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC', errno: -28 });
        }
      });
      await expect(saveModel(model, join(folder, name))).rejects.toMatchObject({ code: 'disk/full' });
      watchFileOperations(undefined);
      expect(await readdir(folder)).toEqual([]);
    }
  },
);

test('operations between layers cannot be saved for TensorFlow.js', async () => {
  const model = await loadModel(fixture('chapter.keras'));
  await expect(saveModel(model, join(folder, 'model.json'))).rejects.toMatchObject({
    code: 'graph/layer',
    message: expect.stringContaining('GetItem') as string,
  });
  expect(await readdir(folder)).toEqual([]);
});

test('a saved file is alone in its folder', async () => {
  const model = await loadModel(fixture('mini_vgg.keras'));
  await saveModel(model, join(folder, 'a', 'model.keras'));
  expect(await readdir(join(folder, 'a'))).toEqual(['model.keras']);
});

test('weights for TensorFlow.js are parted into files of 4 MiB', async () => {
  const x = input({ shape: [1100] });
  const model = new Model({ inputs: x, outputs: new Dense({ units: 1000, name: 'wide' }).apply(x) });
  const files = await tfjsFiles(model);
  expect(Object.entries(files).map(([name, { byteLength }]) => [name, byteLength])).toEqual([
    ['group1-shard1of2.bin', 4 << 20],
    ['group1-shard2of2.bin', 4 * 1101 * 1000 - (4 << 20)],
    ['model.json', expect.any(Number)],
  ]);
  await expectSameWeights(await loadModel(files), model);
});

test.each(['.keras', '.weights.h5', '.safetensors'] as const)(
  '%s: the same model gives the same bytes at any time',
  async (ending) => {
    const model = await loadModel(fixture('nested.keras'));
    const first = await modelBytes(model, ending);
    vi.useFakeTimers({ now: Date.now() + 86_400_000, toFake: ['Date'] });
    try {
      expect(Buffer.from(await modelBytes(model, ending)).equals(first)).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  },
);

test('an ending that names no format is refused by name', async () => {
  const model = await loadModel(fixture('mini_vgg.keras'));
  await expect(saveModel(model, join(folder, 'model.onnx'))).rejects.toMatchObject({ code: 'file/ending' });
  expect(await readdir(folder)).toEqual([]);
});

describe('a classifier in one file', () => {
  const info: ClassifierInfo = {
    classNames: ['cat', 'dog'],
    input: { size: [20, 20], preprocess: 'rescale', resize: 'nearest' },
    training: { recipe: 'mini', history: { loss: [0.5, null] } },
  };

  test('comes back whole', async () => {
    const path = join(folder, 'pets.keras');
    await saveClassifierFile(path, await loadModel(fixture('mini_vgg.keras')), info);
    const { model, info: read } = await openClassifierFile(path);
    expect(read).toEqual(info);
    expect(model.weights.every((weight) => weight.assigned)).toBe(true);
  });

  test('a mere model, a bad description and a wrong name are refused', async () => {
    await expect(openClassifierFile(fixture('mini_vgg.keras'))).rejects.toMatchObject({
      code: 'classifier/none',
    });
    await expect(openClassifierFile(fixture('mini_vgg.h5'))).rejects.toMatchObject({
      code: 'classifier/none',
    });
    const model = await loadModel(fixture('mini_vgg.keras'));
    await expect(saveClassifierFile(join(folder, 'pets.h5'), model, info)).rejects.toMatchObject({
      code: 'file/ending',
    });
  });
});
