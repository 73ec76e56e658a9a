import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeNpyHeader, parseNpyHeader, type NpyData } from './format.ts';
import { NpyFile, readNpy } from './read.ts';
import { NpyWriter, writeNpy } from './write.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-npy-'));
  path = join(folder, 'a.npy');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A header as any program might write it, with `body` after it. */
function npy(dictionary: string, body: Uint8Array | number, version = 1): Uint8Array {
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(dictionary.length, 8);
  else head.writeUInt32LE(dictionary.length, 8);
  return Buffer.concat([head, Buffer.from(dictionary), typeof body === 'number' ? Buffer.alloc(body) : body]);
}

const dictionary = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

const arrays: [NpyData, number[]][] = [
  [new Float32Array([1.5, -0, NaN, Infinity, 1e-40, 6]), [2, 3]],
  [new Uint8Array([0, 255, 7]), [3]],
  [new Int32Array([-1, 2 ** 31 - 1]), [1, 2, 1]],
  [new BigInt64Array([-1n, 2n ** 62n]), [2]],
  [new Float32Array([3]), []],
  [new Float32Array(0), [0, 4]],
];

test.each(arrays)('%o of shape %j goes out and in', async (data, shape) => {
  await writeNpy(path, data, shape);
  const back = await readNpy(path);
  expect(back.shape).toEqual(shape);
  expect(back.data).toEqual(data);
});

test('the bytes are those that numpy.save writes', async () => {
  await writeNpy(path, new Float32Array([1, 2]), [2]);
  const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const expected = npy(`${text.padEnd(117)}\n`, new Uint8Array(new Float32Array([1, 2]).buffer));
  expect(expected.length).toBe(136);
  expect(Buffer.compare(await readFile(path), expected)).toBe(0);
});

test.each([1, 2, 3])('version %i is read', async (version) => {
  await writeFile(path, npy(dictionary('<i4', '(2, 2)'), 16, version));
  expect((await readNpy(path)).shape).toEqual([2, 2]);
});

test('data at an odd offset are read', async () => {
  await writeFile(
    path,
    npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,)} ", Buffer.from([5, 0, 0, 0, 0, 0, 0, 0])),
  );
  expect((await readNpy(path)).data).toEqual(new BigInt64Array([5n]));
});

test.each<[string, Uint8Array, string]>([
  ['nothing', new Uint8Array(0), 'npy/damaged'],
  ['text', Buffer.from('hello, this is no array'), 'npy/damaged'],
  ['a version of the future', npy(dictionary('<f4', '(1,)'), 4, 9), 'npy/damaged'],
  ['a header cut off', npy(dictionary('<f4', '(1,)'), 4).subarray(0, 30), 'npy/damaged'],
  [
    'a header of 4 GB',
    Buffer.concat([npy('', 0, 2).subarray(0, 8), Buffer.alloc(4, 255), Buffer.alloc(99)]),
    'npy/damaged',
  ],
  ['data cut off', npy(dictionary('<f4', '(3,)'), 11), 'npy/damaged'],
  ['data too many', npy(dictionary('<f4', '(3,)'), 13), 'npy/damaged'],
  ['a shape beyond all memory', npy(dictionary('<f4', '(4294967296, 4294967296)'), 4), 'npy/damaged'],
  [
    'a shape that overflows to the right size',
    npy(dictionary('|u1', '(99999999999999999999,)'), 4),
    'npy/damaged',
  ],
  ['a negative size', npy(dictionary('<f4', '(-1,)'), 4), 'npy/damaged'],
  ['two commas', npy(dictionary('<f4', '(1,,1)'), 4), 'npy/damaged'],
  ['no shape', npy("{'descr': '<f4', 'fortran_order': False, }", 4), 'npy/damaged'],
  ['Fortran order', npy(dictionary('<f4', '(2, 2)', 'True'), 16), 'npy/unsupported'],
  ['big-endian', npy(dictionary('>f4', '(1,)'), 4), 'npy/unsupported'],
  ['doubles', npy(dictionary('<f8', '(1,)'), 8), 'npy/unsupported'],
  ['objects', npy(dictionary('|O', '(1,)'), 8), 'npy/unsupported'],
  [
    'records',
    npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4),
    'npy/unsupported',
  ],
])('%s is refused by name', async (_, bytes, code) => {
  await writeFile(path, bytes);
  await expect(readNpy(path)).rejects.toMatchObject({ code, where: path });
});

test('a missing file is said to be missing', async () => {
  await expect(readNpy(path)).rejects.toMatchObject({ code: 'file/missing' });
});

test('any header that is accepted tells a shape that can be', () => {
  const shape = fc.array(fc.nat({ max: 1000 }), { maxLength: 5 });
  const noise = fc.array(fc.tuple(fc.nat({ max: 127 }), fc.nat({ max: 255 })), { maxLength: 3 });
  fc.assert(
    fc.property(shape, noise, (sizes, changes) => {
      const bytes = encodeNpyHeader('float32', sizes);
      if (changes.length === 0) expect(parseNpyHeader(bytes, 'x').shape).toEqual(sizes);
      for (const [at, value] of changes) bytes[at] = value;
      try {
        const header = parseNpyHeader(bytes, 'x');
        expect(header.shape.every((size) => Number.isSafeInteger(size) && size >= 0)).toBe(true);
        expect(header.dataOffset).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(ConvbaseError);
      }
    }),
  );
});

test('single rows are read without the rest', async () => {
  await writeNpy(
    path,
    Float32Array.from({ length: 12 }, (_, i) => i),
    [4, 3],
  );
  const file = await NpyFile.open(path);
  expect(file.rowCount).toBe(4);
  expect(await file.readRows(1, 2)).toEqual(new Float32Array([3, 4, 5, 6, 7, 8]));
  await expect(file.readRows(3, 2)).rejects.toThrow(RangeError);
  await file.close();
});

test('elements and shape must agree', async () => {
  await expect(writeNpy(path, new Float32Array(5), [2, 3])).rejects.toThrow(RangeError);
  expect(await readdir(folder)).toEqual([]);
});

describe('row by row', () => {
  const row = (value: number) => new Float32Array([value, value + 0.5]);

  test('rows become an array when committed', async () => {
    const writer = await NpyWriter.open(path, 'float32', [2]);
    await writer.append(row(1));
    await writer.append(new Float32Array([...row(2), ...row(3)]));
    expect(await readdir(folder)).toEqual(['a.npy.partial']);
    await writer.commit();
    expect(await readdir(folder)).toEqual(['a.npy']);
    const back = await readNpy(path);
    expect(back.shape).toEqual([3, 2]);
    expect(back.data).toEqual(new Float32Array([1, 1.5, 2, 2.5, 3, 3.5]));
  });

  test('flushed rows survive an interruption, the others do not', async () => {
    const first = await NpyWriter.open(path, 'float32', [2]);
    await first.append(row(1));
    await first.flush();
    await first.append(row(2));
    await first.append(new Float32Array(2));
    await first.pause();
    const second = await NpyWriter.open(path, 'float32', [2]);
    expect(second.rowCount).toBe(1);
    await second.append(row(7));
    await second.commit();
    expect((await readNpy(path)).data).toEqual(new Float32Array([1, 1.5, 7, 7.5]));
  });

  test('a file torn inside its header starts anew', async () => {
    await writeFile(`${path}.partial`, encodeNpyHeader('float32', [0, 2], 256).subarray(0, 100));
    const writer = await NpyWriter.open(path, 'float32', [2]);
    expect(writer.rowCount).toBe(0);
    await writer.append(row(1));
    await writer.commit();
    expect((await readNpy(path)).shape).toEqual([1, 2]);
  });

  test('rows can be taken back', async () => {
    const writer = await NpyWriter.open(path, 'int64', []);
    await writer.append(new BigInt64Array([1n, 2n, 3n]));
    await writer.truncate(1);
    await writer.append(new BigInt64Array([9n]));
    expect(await writer.readRows(1, 1)).toEqual(new BigInt64Array([9n]));
    await expect(writer.readRows(1, 2)).rejects.toThrow(RangeError);
    await writer.commit();
    expect((await readNpy(path)).data).toEqual(new BigInt64Array([1n, 9n]));
  });

  test('abort leaves nothing', async () => {
    const writer = await NpyWriter.open(path, 'float32', [2]);
    await writer.append(row(1));
    await writer.abort();
    expect(await readdir(folder)).toEqual([]);
  });

  test('an unfinished file of another kind is neither used nor lost', async () => {
    const first = await NpyWriter.open(path, 'float32', [2]);
    await first.append(row(1));
    await first.flush();
    await first.pause();
    await expect(NpyWriter.open(path, 'float32', [3])).rejects.toMatchObject({ code: 'npy/mismatch' });
    await expect(NpyWriter.open(path, 'int32', [2])).rejects.toMatchObject({ code: 'npy/mismatch' });
    expect((await NpyWriter.open(path, 'float32', [2])).rowCount).toBe(1);
  });

  test('an unfinished file that lies is refused', async () => {
    await writeFile(
      `${path}.partial`,
      Buffer.concat([encodeNpyHeader('float32', [9, 2], 256), Buffer.alloc(8)]),
    );
    await expect(NpyWriter.open(path, 'float32', [2])).rejects.toMatchObject({ code: 'npy/mismatch' });
  });

  test('only whole rows of the right type are taken', async () => {
    const writer = await NpyWriter.open(path, 'float32', [2]);
    await expect(writer.append(new Float32Array(3))).rejects.toThrow(RangeError);
    await expect(writer.append(new Int32Array(2))).rejects.toThrow(RangeError);
    await writer.abort();
  });
});
