import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { layerName } from './keras-config.ts';
import { matchLayers } from './match.ts';
import type { TargetLayer } from './match.ts';
import type { ModelFile } from './model-file.ts';
import { openModelFile } from './open.ts';
import { expectedLayers, fixture, hasShared, sha256Of, shared } from './testing/files.ts';

const open: ModelFile[] = [];
afterEach(() => {
  for (const file of open.splice(0)) file.close();
});

async function openFile(path: string): Promise<ModelFile> {
  const file = await openModelFile(path);
  open.push(file);
  return file;
}

describe.each(['mini_vgg', 'mini_inception'] as const)('%s, saved by Keras 3', (model) => {
  test.each([
    ['keras', 'keras', 'store-path'],
    ['h5', 'keras-legacy-h5', 'order'],
    ['weights.h5', 'keras-weights-h5', 'store-path'],
  ])('.%s holds bit for bit what Keras loads from it', async (extension, format, matching) => {
    const file = await openFile(fixture(`${model}.${extension}`));
    expect(file.format).toBe(format);
    expect(file.matching).toBe(matching);
    const expected = expectedLayers(model).filter((layer) => layer.weights.length > 0);
    const matches = matchLayers(file, expectedLayers(model));
    expect(matches.map(({ target }) => target.name)).toEqual(expected.map(({ name }) => name));
    for (const { target, weights } of matches) {
      expect(weights.map((weight) => weight.shape)).toEqual(target.weights.map((weight) => weight.shape));
      expect(weights.map((weight) => sha256Of(weight.read()))).toEqual(
        target.weights.map((weight) => weight.sha256),
      );
    }
  });

  test.each(['keras', 'h5'])('.%s carries the config; layers bear its names', async (extension) => {
    const file = await openFile(fixture(`${model}.${extension}`));
    const names = file.config?.config.layers.map(layerName);
    expect(names?.filter((name) => !name?.startsWith('input_layer'))).toEqual(
      expectedLayers(model)
        .map(({ name }) => name)
        .filter((name) => !name.startsWith('input_layer')),
    );
    expect(file.layers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(expectedLayers(model).map(({ name }) => name)),
    );
  });

  test('.weights.h5 has no config but the names beside the variables', async () => {
    const file = await openFile(fixture(`${model}.weights.h5`));
    expect(file.config).toBeUndefined();
    const names = file.layers.filter(({ weights }) => weights.length > 0).map(({ name }) => name);
    const expected = expectedLayers(model).filter(({ weights }) => weights.length > 0);
    expect(names.sort()).toEqual(expected.map(({ name }) => name).sort());
  });

  test('reads the same from bytes as from a file', async () => {
    const bytes = readFileSync(fixture(`${model}.keras`));
    const file = await openModelFile(bytes, { name: 'dropped file' });
    open.push(file);
    expect(file.name).toBe('dropped file');
    const fromDisk = await openFile(fixture(`${model}.keras`));
    expect(await file.checksum()).toBe(await fromDisk.checksum());
    const values = (opened: ModelFile) =>
      opened.layers.flatMap(({ weights }) => weights.map((w) => sha256Of(w.read())));
    expect(values(file)).toEqual(values(fromDisk));
  });
});

describe.runIf(hasShared)('weight files as Keras downloads them (../shared/data/weights)', () => {
  const weights = (model: string) =>
    shared(`data/weights/${model}_weights_tf_dim_ordering_tf_kernels_notop.h5`);

  async function targets(model: string): Promise<TargetLayer[]> {
    const layers = JSON.parse(readFileSync(shared(`golden/models/${model}_layers.json`), 'utf8')) as [
      string,
      string,
      number[][],
    ][];
    return Promise.resolve(
      layers.map(([name, className, shapes]) => ({
        name,
        className,
        weights: shapes.map((shape, i) => ({
          name: className === 'Conv2D' ? (['kernel', 'bias'][i] ?? '') : `${i}`,
          shape,
        })),
      })),
    );
  }

  test("InceptionV3's layers match by order: conv2d_93 is the file's conv2d_94", async () => {
    const file = await openFile(weights('inception_v3'));
    const matches = matchLayers(file, await targets('inception_v3'));
    expect(matches).toHaveLength(188);
    const kernel = matches.find(({ target }) => target.name === 'conv2d_93')?.weights[0];
    expect(kernel?.path).toBe('/conv2d_94/conv2d_94/kernel:0');
    expect(sha256Of(kernel?.read() ?? new Float32Array())).toBe(
      '9752eab4543fff86db20482b19c3c041e7c0fa799d097b79968504b7b1ba4eb8',
    );
    const variance = matches.find(({ target }) => target.name === 'batch_normalization_93')?.weights[2];
    expect(variance?.name).toBe('moving_variance');
    expect(sha256Of(variance?.read() ?? new Float32Array())).toBe(
      '7f04aa85d76c315bc3faceb08dedb87760dae5ed7b92712c88bb716ca7c8be48',
    );
  });

  test('VGG19', async () => {
    const file = await openFile(weights('vgg19'));
    const all = file.layers.flatMap((layer) => layer.weights);
    expect(all.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(20_024_384);
    expect(sha256Of(all[0]?.read() ?? new Float32Array())).toBe(
      '4dfc08de3aa222ed819de4dce4adfa4d366e39ac165ccba188c00b1d48f0803d',
    );
    expect(sha256Of(all.at(-1)?.read() ?? new Float32Array())).toBe(
      'f4960e334fa65b3637082b51c395c4a6d4e4a490804f2eb129b900c0993620a7',
    );
  });

  test('the wrong file is refused with both counts', async () => {
    const file = await openFile(weights('vgg19'));
    expect(() => matchLayers(file, expectedLayers('mini_inception'))).toThrow(
      /16 layers with weights, the model 17/,
    );
  });
});
