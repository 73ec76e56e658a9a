import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fixture } from '../formats/testing/files.ts';
import { openModelFile } from '../formats/index.ts';
import { configOf, loadModel, loadWeights, modelFromConfig } from '../graph/index.ts';
import { openClassifierFile, saveClassifierFile, saveModel, type ClassifierInfo } from './index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-save-'));
});
afterEach(() => rm(folder, { recursive: true }));

const models = ['mini_vgg', 'mini_inception', 'nested'];

describe.each(models)('%s', (name) => {
  test('.keras: config and weights come back as they were', async () => {
    const model = await loadModel(fixture(`${name}.keras`));
    const path = join(folder, 'a', 'model.keras');
    await saveModel(model, path);
    expect(await readdir(join(folder, 'a'))).toEqual(['model.keras']);
    const again = await loadModel(path);
    expect(configOf(again)).toEqual(configOf(model));
    expect(again.weights.map(({ path }) => path)).toEqual(model.weights.map(({ path }) => path));
    for (const [i, weight] of model.weights.entries()) {
      expect(await again.weights[i]?.read(), weight.path).toEqual(await weight.read());
    }
  });

  test('.weights.h5: weights come back into a model of the same config', async () => {
    const model = await loadModel(fixture(`${name}.keras`));
    const path = join(folder, 'model.weights.h5');
    await saveModel(model, path);
    const again = modelFromConfig(configOf(model));
    const file = await openModelFile(path);
    expect(file.format).toBe('keras-weights-h5');
    loadWeights(again, file);
    file.close();
    for (const [i, weight] of model.weights.entries()) {
      expect(await again.weights[i]?.read(), weight.path).toEqual(await weight.read());
    }
  });
});

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
