import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { endsWell } from '../../../base/src/testing/fuzz.ts';
import { openModelFile, writeSafetensors } from './index.ts';
import { fixture } from './testing/files.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const config = encode('{"class_name":"Sequential","config":{"layers":[]}}');
const weights = new Uint8Array(readFileSync(fixture('mini_vgg.weights.h5')));
const open = (file: Parameters<typeof openModelFile>[0]) => endsWell(() => openModelFile(file));

describe('zip archives', () => {
  const END = 22;
  const viewOf = (bytes: Uint8Array): DataView =>
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  /** An archive whose `model.weights.h5` is replaced by deflated data that claims a size. */
  function claiming(packed: Uint8Array, bytes: number): Uint8Array {
    const archive = zipSync({ 'config.json': config, 'model.weights.h5': packed }, { level: 0 });
    const view = viewOf(archive);
    const directory = view.getUint32(archive.length - END + 16, true);
    const entry = directory + 46 + 'config.json'.length;
    view.setUint16(entry + 10, 8, true);
    view.setUint32(entry + 24, bytes, true);
    return archive;
  }

  test('a megabyte that unpacks to a gigabyte', async () => {
    const piece = deflateRawSync(new Uint8Array(2 ** 28));
    expect(await open(claiming(piece, 2 ** 28 + 1))).toMatchObject({ code: 'file/malformed' });
    const more = new Uint8Array(1 << 20);
    more.set(piece);
    expect(await open(claiming(more, 2 ** 30))).toMatchObject({
      code: 'file/malformed',
      message: expect.stringContaining('will not unpack') as string,
    });
    // Honest about its size, a file of zeros is unpacked, and found to be no weights.
    expect(await open(claiming(deflateRawSync(new Uint8Array(2 ** 24)), 2 ** 24))).toMatchObject({
      code: 'file/malformed',
    });
  });

  test('an archive in the place of the weights', async () => {
    const inner = zipSync({ 'config.json': config, 'model.weights.h5': weights });
    expect(await open(zipSync({ 'config.json': config, 'model.weights.h5': inner }))).toMatchObject({
      code: 'file/malformed',
    });
  });

  test('members that are one and the same, or lie in each other', async () => {
    const archive = zipSync({ 'config.json': config, 'model.weights.h5': weights }, { level: 0 });
    const view = viewOf(archive);
    const directory = view.getUint32(archive.length - END + 16, true);
    const second = directory + 46 + 'config.json'.length;
    for (const field of [16, 20, 24, 42])
      view.setUint32(second + field, view.getUint32(directory + field, true), true);
    expect(await open(archive)).toMatchObject({ code: 'file/malformed' });
  });

  test('a local header that tells another size than the directory', async () => {
    const archive = zipSync({ 'config.json': config, 'model.weights.h5': weights }, { level: 0 });
    viewOf(archive).setUint32(18, 0xfffffff0, true);
    viewOf(archive).setUint32(22, 0xfffffff0, true);
    // The directory counts, as for Python's zipfile.
    expect(await open(archive)).toMatchObject({ format: 'keras' });
  });

  test.each([
    ['zip64 counts', 10, 0xffff],
    ['a directory of 4 GB', 12, 0xfffffff0],
    ['a directory at 4 GB', 16, 0xfffffff0],
    ['more files than there are', 10, 3],
  ])('%s', async (_what, field, value) => {
    const archive = zipSync({ 'config.json': config, 'model.weights.h5': weights }, { level: 0 });
    const at = archive.length - END + field;
    if (field === 10) viewOf(archive).setUint16(at, value, true);
    else viewOf(archive).setUint32(at, value, true);
    expect(await open(archive)).toMatchObject({
      code: expect.stringMatching(/^file\/(malformed|truncated|unsupported)$/) as string,
    });
  });

  test('names that climb out are names like any other: nothing is ever written', async () => {
    const archive = zipSync({
      '../../evil': config,
      '/etc/evil': config,
      'config.json': config,
      'model.weights.h5': weights,
    });
    expect(await open(archive)).toMatchObject({ format: 'keras' });
  });
});

test('weights that together claim more than an HDF5 file holds', async () => {
  const bytes = weights.slice();
  const file = await openModelFile(weights);
  const { length } = file.layers.flatMap((layer) => layer.weights);
  file.close();
  expect(length).toBeGreaterThan(5);
  const view = new DataView(bytes.buffer);
  const side = Math.floor(Math.sqrt(bytes.length / 4));
  let changed = 0;
  for (let at = 0; at + 18 <= bytes.length; at += 1) {
    const [first, second] = [view.getBigUint64(at, true), view.getBigUint64(at + 8, true)];
    // The shapes of the two dense kernels, and their layouts: version 3, contiguous, address, size.
    if ((first === 300n && second === 16n) || (first === 16n && second === 1n)) {
      for (const extent of [at, at + 8]) view.setBigUint64(extent, BigInt(side), true);
    }
    const size = view.getBigUint64(at + 10, true);
    if (view.getUint16(at, true) !== 0x0103 || (size !== 19200n && size !== 64n)) continue;
    view.setBigUint64(at + 2, 0n, true);
    view.setBigUint64(at + 10, BigInt(4 * side * side), true);
    changed++;
  }
  expect(changed).toBe(3);
  expect(await open(bytes)).toMatchObject({
    code: 'file/malformed',
    message: expect.stringMatching(/it claims \d+ bytes in a file of/) as string,
  });
});

describe('many small things', () => {
  test('a safetensors file of 50,000 tensors in one layer', async () => {
    const tensors = Array.from(
      { length: 50_000 },
      (_, i) => [`a/${i}`, { shape: [0], data: new Float32Array(0) }] as const,
    );
    expect(await open(writeSafetensors(tensors))).toMatchObject({ format: 'safetensors' });
  });

  const tfjs = (paths: string[], weightCount: number) => ({
    'model.json': encode(
      JSON.stringify({
        modelTopology: { class_name: 'Sequential', config: { layers: [] } },
        weightsManifest: [
          {
            paths,
            weights: Array.from({ length: weightCount }, (_, i) => ({
              name: `a/${i}`,
              shape: [0],
              dtype: 'float32',
            })),
          },
        ],
      }),
    ),
    'a.bin': new Uint8Array(0),
  });

  test('a tfjs model of 50,000 tensors in one layer, or of as many files', async () => {
    expect(await open(tfjs(['a.bin'], 50_000))).toMatchObject({ format: 'tfjs-layers' });
    expect(
      await open(
        tfjs(
          Array.from({ length: 50_000 }, () => 'a.bin'),
          1,
        ),
      ),
    ).toMatchObject({
      code: 'file/malformed',
    });
  });

  test.each([
    '../a.bin',
    '/a.bin',
    'b/../../a.bin',
    'C:\\a.bin',
    'b\\..\\a.bin',
    'http://host/a.bin',
    'a.bin\0',
    '',
    '.',
  ])('a tfjs model whose weights lie in %j', async (path) => {
    expect(await open(tfjs([path], 1))).toMatchObject({ code: 'file/unsafe-path' });
  });
});

test('JSON without a bottom', async () => {
  const abyss = '['.repeat(1_000_000);
  for (const text of [
    `{"modelTopology":${abyss}`,
    `{"modelTopology":{},"a":${abyss}${']'.repeat(1_000_000)}}`,
  ]) {
    expect(await open(encode(text))).toMatchObject({ code: 'file/malformed' });
  }
  const nested = encode(`{"class_name":"Sequential","config":{"layers":${abyss}`);
  expect(await open(zipSync({ 'config.json': nested, 'model.weights.h5': weights }))).toMatchObject({
    code: 'file/malformed',
  });
});
