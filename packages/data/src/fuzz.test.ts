import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { ConvbaseError } from '@convbase/base';
import { endsWell } from '../../base/src/testing/fuzz.ts';
import { withstands } from '../../base/src/testing/withstands.ts';
import { decodeImage, imageFolder, mnistIdx, PictureError, readNpy } from './index.ts';
import { fuzzTargets } from './testing/fuzz-targets.ts';

const folder = await mkdtemp(join(tmpdir(), 'convbase-fuzz-'));
afterAll(() => rm(folder, { recursive: true }));

test.each(await fuzzTargets(join(folder, 'scratch')))('$name, damaged', (target) =>
  withstands(target, join(import.meta.dirname, '..', 'fixtures', 'fuzz')),
);

const pictures = join(import.meta.dirname, '..', 'fixtures', 'decode');

describe('pictures', async () => {
  const names = await readdir(pictures);

  test('a small file of a huge picture', async () => {
    const png = new Uint8Array(
      await readFile(join(pictures, names.find((name) => name.endsWith('.png')) ?? '')),
    );
    new DataView(png.buffer).setUint32(16, 2 ** 31 - 1);
    expect(await endsWell(() => decodeImage(png))).toBeInstanceOf(PictureError);
    const bmp = new Uint8Array(
      await readFile(join(pictures, names.find((name) => name.endsWith('.bmp')) ?? '')),
    );
    new DataView(bmp.buffer).setInt32(18, 13_000, true);
    new DataView(bmp.buffer).setInt32(22, -13_000, true);
    expect(await endsWell(() => decodeImage(bmp))).toMatchObject({ code: 'picture/truncated' });
    new DataView(bmp.buffer).setInt32(18, 2 ** 31 - 1, true);
    expect(await endsWell(() => decodeImage(bmp))).toMatchObject({ code: 'picture/too-large' });
  });

  test('a BMP that ends where its masks should be', async () => {
    const bmp = new DataView(new ArrayBuffer(58));
    const fields = [10, 54, 14, 40, 18, 1, 22, 1, 28, 16, 30, 3];
    bmp.setUint16(0, 0x424d);
    for (let i = 0; i < fields.length; i += 2) bmp.setUint32(fields[i] ?? 0, fields[i + 1] ?? 0, true);
    const bytes = new Uint8Array(bmp.buffer);
    expect(await endsWell(() => decodeImage(bytes))).toMatchObject({ code: 'picture/damaged' });
  });

  test.skipIf(process.platform === 'win32')('a link to a device without an end', async () => {
    await symlink('/dev/zero', join(folder, 'endless.jpg'));
    expect(await endsWell(() => decodeImage(join(folder, 'endless.jpg')))).toMatchObject({
      code: 'file/kind',
    });
    await rm(join(folder, 'endless.jpg'));
  });
});

test('.npy files of shapes that cannot be', async () => {
  const path = join(folder, 'array.npy');
  const shapes = [
    '9007199254740992,',
    '-1,',
    '1.5,',
    '2, 2**60',
    '0, 9007199254740991',
    '1e9,',
    '99999999999999999999,',
  ];
  for (const shape of shapes) {
    const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117) + '\n';
    await writeFile(path, Buffer.concat([Buffer.from('\x93NUMPY\x01\0\x76\0', 'latin1'), Buffer.from(text)]));
    const result = await endsWell(() => readNpy(path));
    if (!shape.startsWith('0')) expect(result, shape).toBeInstanceOf(ConvbaseError);
  }
});

test('MNIST files that unpack to more than there is', async () => {
  await writeFile(join(folder, 'train-images-idx3-ubyte'), gzipSync(gzipSync(new Uint8Array(2 ** 28))));
  await writeFile(join(folder, 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 3));
  expect(await endsWell(() => mnistIdx(folder))).toMatchObject({ code: 'idx/damaged' });
  for (const name of ['images-idx3', 'labels-idx1']) await rm(join(folder, `train-${name}-ubyte`));
});

test.skipIf(process.platform === 'win32')('folders that contain themselves', async () => {
  await symlink(folder, join(folder, 'again'));
  expect(await endsWell(() => imageFolder(folder, { allowOneClass: true }))).toMatchObject({
    code: 'data/empty-class',
  });
  await rm(join(folder, 'again'));
});
