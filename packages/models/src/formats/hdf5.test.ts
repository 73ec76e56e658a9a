import { describe, expect, test } from 'vitest';
import { Hdf5File } from './hdf5.ts';
import { matchLayers } from './match.ts';
import { openModelFile } from './open.ts';
import { MemorySource } from './source.ts';
import { expectedLayers, fixture, sha256Of } from './testing/files.ts';

test.each(['keras', 'h5', 'weights.h5'])(
  'a model in a model, nested.%s, is read into its layers',
  async (extension) => {
    const file = await openModelFile(fixture(`nested.${extension}`));
    const matches = matchLayers(file, expectedLayers('nested'));
    expect(matches.map(({ target }) => target.name)).toEqual(['base', 'head']);
    for (const { target, weights } of matches) {
      expect(weights.map((weight) => sha256Of(weight.read()))).toEqual(
        target.weights.map(({ sha256 }) => sha256),
      );
    }
    file.close();
  },
);

describe('odd.h5: split lists, a user block, every way to store numbers', () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => i);
  test.each([
    ['half', 'float16', [4, 6], values],
    ['double', 'float64', [4, 6], values],
    ['big_endian', 'float32', [4, 6], values],
    ['chunked', 'float32', [4, 6], values],
    ['gzip', 'float32', [4, 6], values],
    ['int64', 'int64', [4, 6], values],
    ['scalar', 'float32', [], Float32Array.of(7)],
    ['empty', 'float32', [0, 3], new Float32Array(0)],
  ])('%s', async (name, dtype, shape, expected) => {
    const file = await openModelFile(fixture('odd.h5'));
    expect(file.layers.map((layer) => layer.name)).toEqual(['first', 'second']);
    const weight = file.layers[0]?.weights.find((stored) => stored.name === name);
    expect(weight).toMatchObject({ dtype, shape });
    expect(weight?.read()).toEqual(expected);
    file.close();
  });
});

test.each([
  ['link_external.h5', 'file/missing-tensor'],
  ['link_soft.h5', 'file/malformed'],
  ['link_virtual.h5', 'file/malformed'],
  ['link_text.h5', 'file/unsupported'],
  ['link_circle.weights.h5', 'file/malformed'],
])('%s, which leads elsewhere or in a circle, is refused', async (name, code) => {
  await expect(openModelFile(fixture(name))).rejects.toMatchObject({ code });
});

test('several files may be open at once; a closed one says so', async () => {
  const files = await Promise.all(
    ['mini_vgg.h5', 'mini_inception.h5', 'mini_vgg.h5'].map((name) => openModelFile(fixture(name))),
  );
  expect(files.map((file) => file.layers.length)).toEqual([8, 32, 8]);
  files[0]?.close();
  expect(() => files[0]?.layers[0]?.weights[0]?.read()).toThrow(/closed/);
  expect(files[2]?.layers[0]?.weights[0]?.read()).toHaveLength(216);
  for (const file of files) file.close();
});

test('what is no HDF5 file is refused', async () => {
  await expect(Hdf5File.open(new MemorySource(new Uint8Array(1000), 'zeros'))).rejects.toMatchObject({
    code: 'file/malformed',
    where: 'zeros',
  });
});
