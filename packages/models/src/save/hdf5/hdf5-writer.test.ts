import { expect, test, vi } from 'vitest';
import { Hdf5File } from '../../formats/hdf5.ts';
import { loadHdf5 } from '../../formats/hdf5-module.ts';
import { MemorySource } from '../../formats/source.ts';
import type { Hdf5Group, Hdf5Values } from './hdf5-tree.ts';
import { hdf5File } from './hdf5-writer.ts';

interface FileSystem {
  lookupPath(path: string): { node: { contents: object } };
}

const values = (shape: readonly number[], from = 0): Hdf5Values => ({
  shape,
  read: () => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return Promise.resolve(Float32Array.from({ length: size }, (_, i) => from + i / 8));
  },
});

async function bytesOf(root: Hdf5Group): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of hdf5File(root, 'written')) parts.push(part);
  return Buffer.concat(parts);
}

test('groups, datasets of every rank and attributes are read back by the HDF5 library', async () => {
  const many = new Map(Array.from({ length: 400 }, (_, i) => [`layer_${i}`, values([2], i)] as const));
  const file = await bytesOf({
    attributes: { one: 'größe', list: ['a', 'longer'], none: [], nothing: '' },
    members: new Map<string, Hdf5Group | Hdf5Values>([
      ['scalar', values([])],
      ['empty', values([0, 3])],
      ['odd', values([3])],
      ['kernel', values([3, 3, 2, 5], 7)],
      ['many', { members: many }],
    ]),
  });
  const read = await Hdf5File.open(new MemorySource(file, 'written'));
  expect(read.textAttribute('/', 'one')).toEqual(['größe']);
  expect(read.textAttribute('/', 'list')).toEqual(['a', 'longer']);
  expect(read.textAttribute('/', 'none')).toEqual([]);
  expect(read.textAttribute('/', 'nothing')).toEqual(['']);
  expect(Object.fromEntries(read.entries('/'))).toEqual({
    scalar: 'dataset',
    empty: 'dataset',
    odd: 'dataset',
    kernel: 'dataset',
    many: 'group',
  });
  for (const [path, shape, from] of [
    ['/scalar', [], 0],
    ['/empty', [0, 3], 0],
    ['/odd', [3], 0],
    ['/kernel', [3, 3, 2, 5], 7],
    ['/many/layer_399', [2], 399],
  ] as const) {
    const dataset = read.dataset(path);
    expect(dataset.shape).toEqual(shape);
    expect(dataset.dtype).toBe('float32');
    expect(dataset.read()).toEqual(await values(shape, from).read());
  }
  expect(read.entries('/many').size).toBe(400);
  read.close();
});

test('values that the library never sees lie where it planned them', async () => {
  const sizes = [5, 16_384, 16_385, 40_000, 1, 70_001];
  const file = await bytesOf({
    members: new Map(sizes.map((size, i) => [`of_${size}`, values([size], i)] as const)),
  });
  const read = await Hdf5File.open(new MemorySource(file, 'written'));
  for (const [i, size] of sizes.entries()) {
    expect(read.dataset(`/of_${size}`).read()).toEqual(await values([size], i).read());
  }
  read.close();
});

test('a file that is open meanwhile stays open, and one that comes to nothing leaves nothing behind', async () => {
  const bytes = await bytesOf({ members: new Map([['a', values([3], 4)]]) });
  const open = await Hdf5File.open(new MemorySource(bytes, 'open'));
  expect(await bytesOf({ members: new Map([['a', values([3], 4)]]) })).toHaveLength(bytes.length);
  // The library refuses a name that is there already, in the middle of writing.
  const twice = new Map([
    ['a', values([3])],
    ['./a', values([20_000])],
  ]);
  for (let i = 0; i < 20; i++) await expect(bytesOf({ members: twice })).rejects.toThrow(/already exists/);
  const wrong: Hdf5Values = { shape: [20_000], read: () => Promise.resolve(new Float32Array(3)) };
  await expect(bytesOf({ members: new Map([['a', wrong]]) })).rejects.toThrow(
    '3 values for the shape [20000]',
  );
  expect(open.dataset('/a').read()).toEqual(await values([3], 4).read());
  open.close();
  const { functions } = await loadHdf5();
  const { contents } = (functions.FS as unknown as FileSystem).lookupPath('/convbase').node;
  expect(Object.keys(contents)).toEqual([]);
});

test('a dataset of 2 GB is refused by name', async () => {
  const huge = { shape: [2 ** 29], read: () => Promise.reject(new Error('it was read')) };
  await expect(bytesOf({ members: new Map([['huge', huge]]) })).rejects.toMatchObject({
    code: 'file/too-large',
    message: expect.stringContaining('/huge') as string,
  });
});

test('of the same content has the same bytes, whenever it is written', async () => {
  const root = {
    attributes: { one: 'text' },
    members: new Map<string, Hdf5Group | Hdf5Values>([
      ['small', values([3])],
      ['large', values([20_000])],
      ['group', { members: new Map([['inner', values([2])]]) }],
    ]),
  };
  const first = await bytesOf(root);
  vi.useFakeTimers({ now: Date.now() + 86_400_000, toFake: ['Date'] });
  try {
    const faked = Date.now();
    expect(Buffer.from(await bytesOf(root)).equals(first)).toBe(true);
    expect(Date.now()).toBe(faked);
  } finally {
    vi.useRealTimers();
  }
});
