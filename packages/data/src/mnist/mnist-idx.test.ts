import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isMnistFolder, mnistIdx } from './mnist-idx.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-mnist-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function idx(shape: number[], data: number[], type = 8): Buffer {
  const header = Buffer.from([0, 0, type, shape.length]);
  const sizes = shape.map((size) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(size);
    return bytes;
  });
  return Buffer.concat([header, ...sizes, Buffer.from(data)]);
}

const images = idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
const labels = idx([2], [7, 0]);
const put = (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes);

test('both parts are read, gzipped or not, whichever way they are named', async () => {
  await put('train-images-idx3-ubyte', images);
  await put('train-labels-idx1-ubyte', labels);
  await put('t10k-images.idx3-ubyte.gz', gzipSync(images));
  await put('t10k-labels-idx1-ubyte.gz', gzipSync(labels));
  expect(await isMnistFolder(folder)).toBe(true);
  const { train, test: unseen } = await mnistIdx(folder);
  for (const part of [train, unseen]) {
    expect(part?.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect([part?.length, part?.label(0), part?.label(1)]).toEqual([2, 7, 0]);
    expect(await part?.picture(1)).toEqual({
      height: 2,
      width: 3,
      data: Uint8Array.from([7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12, 12]),
    });
    expect(() => part?.label(2)).toThrow(RangeError);
  }
  expect(train?.name(1)).toBe(`${join(folder, 'train-images-idx3-ubyte')}[1]`);
});

test('one part alone will do', async () => {
  await put('t10k-images-idx3-ubyte', images);
  await put('t10k-labels-idx1-ubyte', labels);
  const { train, test: unseen } = await mnistIdx(folder);
  expect(train).toBeUndefined();
  expect(unseen?.length).toBe(2);
});

test('no files, or half a pair, are said', async () => {
  expect(await isMnistFolder(folder)).toBe(false);
  await expect(mnistIdx(folder)).rejects.toMatchObject({ code: 'idx/missing', where: folder });
  await put('train-labels-idx1-ubyte', labels);
  await expect(mnistIdx(folder)).rejects.toThrow(/other half of train-labels/);
  await expect(mnistIdx(join(folder, 'none'))).rejects.toMatchObject({ code: 'file/missing' });
});

test.each<[string, Uint8Array, Uint8Array]>([
  ['no bytes', new Uint8Array(0), labels],
  ['a header cut off', images.subarray(0, 9), labels],
  ['text', Buffer.from('this is not an idx file'), labels],
  ['floats', idx([1, 1, 1], [0, 0, 0, 0], 13), labels],
  ['pictures of two dimensions', idx([2, 6], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), labels],
  ['one pixel too few', images.subarray(0, -1), labels],
  ['one pixel too many', Buffer.concat([images, Buffer.alloc(1)]), labels],
  ['sizes beyond all memory', idx([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], [1]), labels],
  ['pictures without pixels', idx([2, 0, 3], []), labels],
  ['gzip cut off', gzipSync(images).subarray(0, -9), labels],
  ['labels of fewer pictures', images, idx([1], [7])],
  ['a label of 10', images, idx([2], [7, 10])],
])('%s: refused by name', async (_, imageBytes, labelBytes) => {
  await put('train-images-idx3-ubyte', imageBytes);
  await put('train-labels-idx1-ubyte', labelBytes);
  await expect(mnistIdx(folder)).rejects.toMatchObject({
    code: 'idx/damaged',
    where: expect.stringContaining(folder) as string,
  });
});
