import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConvbaseError } from '@convbase/base';
import { damage, damages } from '../../base/src/testing/damage.ts';
import { damagedJson, jsonDamages } from '../../base/src/testing/damaged-json.ts';
import { endsWell, fuzz } from '../../base/src/testing/fuzz.ts';
import { decodeImage, Features, imageFolder, mnistIdx, PictureError, readNpy, writeNpy } from './index.ts';
import { featureFiles } from './features/feature-writer.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-fuzz-'));
});
afterAll(() => rm(folder, { recursive: true }));

const pictures = join(import.meta.dirname, '..', 'fixtures', 'decode');

/** Where the headers of pictures lie, and where JPEG's and PNG's segments start. */
function placesIn(bytes: Uint8Array): number[] {
  const text = Buffer.from(bytes).toString('latin1');
  const segments = Array.from(
    text.matchAll(/\xff[\xc0-\xfe]|IHDR|IDAT|PLTE|VP8|BM|II\*/gs),
    ({ index }) => index,
  );
  return [0, 16, 32, ...segments];
}

describe('pictures', async () => {
  const names = (await readdir(pictures)).filter((name) => !name.endsWith('.npy'));
  test.each(names)('%s, damaged', async (name) => {
    const original = new Uint8Array(await readFile(join(pictures, name)));
    const places = placesIn(original);
    await fuzz(damages, 60, async (list) => {
      const result = await endsWell(() => decodeImage(damage(original, list, places), 'picture'));
      if (result instanceof ConvbaseError) expect(result).toBeInstanceOf(PictureError);
      else expect(result.data).toHaveLength(result.width * result.height * 3);
    });
  });

  test('noise behind a signature', async () => {
    const starts = [
      '\xff\xd8\xff\xe0',
      '\x89PNG\r\n\x1a\n',
      'RIFF\xff\xff\0\0WEBPVP8 ',
      'GIF89a',
      'II*\0\x08\0\0\0',
      'BM',
    ];
    const noise = fc.tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 400 }));
    await fuzz(noise, 300, async ([start, rest]) => {
      await endsWell(() => decodeImage(Uint8Array.from([...Buffer.from(start, 'latin1'), ...rest])));
    });
  });

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

test('.npy', async () => {
  const path = join(folder, 'array.npy');
  await writeNpy(path, Float32Array.of(1, 2, 3, 4, NaN, 6), [2, 3]);
  const original = new Uint8Array(await readFile(path));
  await fuzz(damages, 400, async (list) => {
    await writeFile(path, damage(original, list, [0, 8, 16, 40, 60, 64]));
    await endsWell(() => readNpy(path));
  });
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

test('MNIST', async () => {
  const part = (type: number, sizes: number[], data: number[]): Uint8Array =>
    Uint8Array.from([0, 0, 8, type, ...sizes.flatMap((size) => [0, 0, 0, size]), ...data]);
  const images = part(3, [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
  const labels = part(1, [2], [3, 9]);
  const write = (name: string, bytes: Uint8Array) => writeFile(join(folder, `train-${name}-ubyte`), bytes);
  const read = async (): Promise<number> => {
    const { train } = await mnistIdx(folder);
    return train === undefined ? 0 : (await train.picture(train.length - 1)).data.length + train.label(0);
  };
  await write('images-idx3', images);
  await write('labels-idx1', labels);
  expect(await read()).toBe(12 + 3);
  const packed = fc.boolean();
  await fuzz(fc.tuple(damages, damages, packed), 300, async ([first, second, gzip]) => {
    const bytes = damage(images, first, [0, 4, 8, 12]);
    await write('images-idx3', gzip ? damage(gzipSync(images), first, [0, 10]) : bytes);
    await write('labels-idx1', damage(labels, second, [0, 4]));
    await endsWell(read);
  });
  await write('images-idx3', gzipSync(gzipSync(new Uint8Array(2 ** 28))));
  expect(await endsWell(read)).toMatchObject({ code: 'idx/damaged' });
  for (const name of ['images-idx3', 'labels-idx1']) await rm(join(folder, `train-${name}-ubyte`));
});

test('feature folders', async () => {
  const manifest = {
    ...{ format: 'convbase-features', version: 1, complete: true, skipped: ['a.jpg'] },
    base: { model: 'vgg16', weights: null, checksum: 'x', layer: 'l' },
    input: { size: [8, 8], preprocess: 'caffe', resize: 'nearest' },
    source: { path: 'p', listing: 'x', samples: 2 },
    ...{ classNames: ['a', 'b'], featureShape: [3] },
  };
  await writeNpy(join(folder, featureFiles.features), Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  await writeNpy(join(folder, featureFiles.labels), Int32Array.of(0, 1), [2]);
  const read = async (): Promise<number> => {
    const features = await Features.open(folder);
    try {
      return (await features.rows([features.rowCount - 1])).length;
    } finally {
      await features.close();
    }
  };
  const path = join(folder, featureFiles.manifest);
  await writeFile(path, JSON.stringify(manifest));
  expect(await read()).toBe(3);
  await fuzz(jsonDamages, 400, async (list) => {
    await writeFile(path, damagedJson(manifest, list));
    await endsWell(read);
  });
});

test.skipIf(process.platform === 'win32')('folders that contain themselves', async () => {
  await symlink(folder, join(folder, 'again'));
  expect(await endsWell(() => imageFolder(folder, { allowOneClass: true }))).toMatchObject({
    code: 'data/empty-class',
  });
  await rm(join(folder, 'again'));
});
