import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { ConvbaseError } from '@convbase/base';
import { openModelFile } from './open.ts';
import { fixture } from './testing/files.ts';

/** Opens and reads everything: the number of values, or the error's code. Other errors than ours pass through. */
async function readAll(bytes: Uint8Array): Promise<number | string> {
  try {
    const file = await openModelFile(bytes, { name: 'damaged' });
    try {
      return file.layers
        .flatMap((layer) => layer.weights)
        .reduce((sum, weight) => sum + weight.read().length, 0);
    } finally {
      file.close();
    }
  } catch (error) {
    if (!(error instanceof ConvbaseError)) throw error;
    expect(error.where).toContain('damaged');
    return error.code;
  }
}

const VALUES = { mini_vgg: 6517, mini_inception: 3172 };
const files = (['mini_vgg', 'mini_inception'] as const).flatMap((model) =>
  ['keras', 'h5', 'weights.h5'].map((extension) => [`${model}.${extension}`, VALUES[model]] as const),
);

/** A generator of repeatable numbers (numerical recipes' LCG). */
function numbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

describe.each(files)('%s', (name, values) => {
  const original = new Uint8Array(readFileSync(fixture(name)));

  test('is whole', async () => {
    expect(await readAll(original)).toBe(values);
  });

  test('cut anywhere is refused', async () => {
    const offsets = [1, 7, 8, 9, 50, 95, 96, 97, 600, 800, 1000, 2048, 4096];
    for (let i = 1; i <= 12; i++) offsets.push(Math.floor((original.length * i) / 13));
    offsets.push(original.length - 100, original.length - 1);
    for (const offset of offsets) {
      expect(await readAll(original.subarray(0, offset)), `cut at ${offset}`).toMatch(/^file\//);
    }
  });

  test('with flipped bits ends in values or in our error, and soon', async () => {
    const next = numbers(7);
    const results = new Set<string>();
    for (let i = 0; i < 150; i++) {
      const bytes = original.slice();
      const at = next(i % 3 === 0 ? bytes.length : 4096);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << next(8));
      results.add(String(await readAll(bytes)));
    }
    expect(results).toContain('file/malformed');
    expect(await readAll(original), 'the library still works').toBe(values);
  });
});

test('a list of free places that leads back to itself is caught before the HDF5 library follows it', async () => {
  const bytes = new Uint8Array(readFileSync(fixture('nested.h5')));
  const view = new DataView(bytes.buffer);
  expect(new TextDecoder().decode(bytes.subarray(11216, 11220))).toBe('HEAP');
  const [first, data] = [view.getBigUint64(11232, true), view.getBigUint64(11240, true)];
  expect(view.getBigUint64(Number(data + first), true), 'the end of the list').toBe(1n);
  view.setBigUint64(Number(data + first), first, true);
  const begin = performance.now();
  expect(await readAll(bytes)).toBe('file/malformed');
  expect(performance.now() - begin, 'before the time limit').toBeLessThan(8_000);
});

test('the bit that sends the HDF5 library in circles is caught before', async () => {
  // Turns the length of a string from 7 into 519: the next object in the table then seems to be free space of size 0.
  const bytes = new Uint8Array(readFileSync(fixture('mini_vgg.weights.h5')));
  expect(bytes[2257]).toBe(0);
  bytes[2257] = 2;
  // A byte that the library does not look at must not hide the table from the check.
  for (const reserved of [0, 0xff]) {
    bytes[2055] = reserved;
    const begin = performance.now();
    expect(await readAll(bytes)).toBe('file/malformed');
    expect(performance.now() - begin, 'before the time limit').toBeLessThan(8_000);
  }
});

test('a dataset that claims more than the file holds is refused before it is allocated', async () => {
  const bytes = new Uint8Array(readFileSync(fixture('mini_vgg.weights.h5')));
  // The only dataspace of 300 x 16: make it 300 x 2^24.
  const view = new DataView(bytes.buffer);
  let changed = 0;
  for (let at = 0; at + 16 <= bytes.length; at += 4) {
    if (view.getBigUint64(at, true) === 300n && view.getBigUint64(at + 8, true) === 16n) {
      view.setBigUint64(at + 8, 1n << 24n, true);
      changed++;
    }
  }
  expect(changed).toBeGreaterThan(0);
  expect(await readAll(bytes)).toBe('file/malformed');
});

describe('a .keras archive', () => {
  const weights = new Uint8Array(readFileSync(fixture('mini_vgg.weights.h5')));
  const config = new TextEncoder().encode('{"class_name":"Sequential","config":{"layers":[]}}');
  const deflated = () => zipSync({ 'config.json': config, 'model.weights.h5': weights }, { level: 6 });

  /** Where the central directory's entry for a file starts. */
  function directoryEntry(bytes: Uint8Array, index: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = view.getUint32(bytes.length - 22 + 16, true);
    for (let i = 0; i < index; i++) at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true);
    return at;
  }

  test('may be compressed', async () => {
    const file = await openModelFile(deflated());
    expect(file.format).toBe('keras');
    file.close();
  });

  test.each([
    ['claims to unpack to 4 GB', 24, 0xfffffff0],
    ['claims to unpack to less', 24, 1000],
    ['claims to unpack to a little more', 24, weights.length + 1],
    ['claims to be packed in more than there is', 20, 0x7fffffff],
    ['claims to be packed in less', 20, 100],
    ['starts elsewhere', 42, 3],
    ['starts outside', 42, 0x7fffffff],
    ['has another checksum', 16, 1],
    ['is packed in an unknown way', 10, 99],
    ['is encrypted', 8, 1],
  ])('whose weights %s is refused', async (_what, field, value) => {
    const bytes = deflated();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = directoryEntry(bytes, 1) + field;
    if (field === 10 || field === 8) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    expect(await readAll(bytes)).toMatch(/^file\/(malformed|truncated|unsupported)$/);
  });

  test('without weights or without a config is refused', async () => {
    expect(await readAll(zipSync({ 'config.json': config }))).toBe('file/malformed');
    expect(await readAll(zipSync({ 'model.weights.h5': weights }))).toBe('file/malformed');
  });
});
