import { expect, test } from 'vitest';
import { Hdf5File } from '../../formats/hdf5.ts';
import { MemorySource } from '../../formats/source.ts';
import { hdf5File, type Hdf5Group, type Hdf5Values } from './hdf5-writer.ts';
import { lookup3 } from './lookup3.ts';

const values = (shape: readonly number[], from = 0): Hdf5Values => ({
  shape,
  read: () => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return Promise.resolve(Float32Array.from({ length: size }, (_, i) => from + i / 8));
  },
});

async function bytesOf(root: Hdf5Group): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of hdf5File(root)) parts.push(part);
  return Buffer.concat(parts);
}

test('the checksum is that of lookup3.c', () => {
  const hash = (text: string): number => lookup3(new TextEncoder().encode(text));
  expect(hash('')).toBe(0xdeadbeef);
  // The self-test of the original prints this for the seed 0.
  expect(hash('Four score and seven years ago')).toBe(0x17770551);
});

test('groups, datasets of every rank and attributes are read back by the HDF5 library', async () => {
  const many = new Map(Array.from({ length: 400 }, (_, i) => [`layer_${i}`, values([2], i)] as const));
  const file = await bytesOf({
    attributes: { one: 'größe', list: ['a', 'longer'], nothing: '' },
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
