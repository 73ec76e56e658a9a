import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { readNpy } from '../npy/read.ts';
import { avifSizes } from './avif.ts';
import { decodeImage } from './decode.ts';
import { PictureError } from './picture-error.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'decode');
const names = readdirSync(fixtures).filter((name) => !name.endsWith('.npy'));

/** sharp and PIL bring different builds of the JPEG and WebP libraries, which may round differently by a grey level. */
const lossy = /\.(jpg|webp)$/;

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);
}

test.each(names)('%s is decoded as by PIL', async (name) => {
  const expected = await readNpy(join(fixtures, `${name}.npy`));
  const { width, height, data } = await decodeImage(join(fixtures, name));
  expect([height, width, 3]).toEqual(expected.shape);
  const difference = largestDifference(data, expected.data as Uint8Array);
  expect(difference).toBeLessThanOrEqual(lossy.test(name) ? 2 : 0);
});

const formats = [
  'rgb.jpg',
  'progressive.jpg',
  'cmyk.jpg',
  'rgb.png',
  'grey16.png',
  'lossy.webp',
  'palette.gif',
  'rgb.tif',
  'rgb.bmp',
];

test.each(formats)('%s, cut off at any place, is refused by name', async (name) => {
  const whole = await readFile(join(fixtures, name));
  for (const share of [0.05, 0.3, 0.6, 0.95]) {
    const cut = whole.subarray(0, Math.floor(whole.length * share));
    await expect(decodeImage(cut, 'holiday')).rejects.toMatchObject({
      name: 'PictureError',
      code: expect.stringMatching(/^picture\/(truncated|damaged)$/) as string,
      where: 'holiday',
    });
  }
});

test('a picture too large for memory is refused before it is decoded', async () => {
  const bytes = await readFile(join(fixtures, 'rgb.bmp'));
  bytes.writeInt32LE(100_000, 18);
  bytes.writeInt32LE(100_000, 22);
  await expect(decodeImage(bytes)).rejects.toMatchObject({ code: 'picture/too-large' });
  const huge = await sharp({ create: { width: 20_000, height: 10_000, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  await expect(decodeImage(huge)).rejects.toMatchObject({ code: 'picture/too-large' });
});

test.each([
  ['the sides that libvips can count', 20_000, 10_000],
  ['a side that libvips takes for 1', 16, 2 ** 27],
  ['sides of 32 bits', 2 ** 32 - 1, 2 ** 32 - 1],
])('an AVIF that claims %s is refused for its size', async (_, width, height) => {
  const bytes = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } })
    .avif()
    .toBuffer();
  expect(avifSizes(bytes)).toEqual([{ width: 16, height: 16 }]);
  const sizes = bytes.indexOf('ispe') + 8;
  bytes.writeUInt32BE(width, sizes);
  bytes.writeUInt32BE(height, sizes + 4);
  expect(avifSizes(bytes)).toEqual([{ width, height }]);
  await expect(decodeImage(bytes)).rejects.toMatchObject({ code: 'picture/too-large' });
});

test.each([
  ['', 'picture/empty'],
  ['just some text', 'picture/format'],
  ['<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 'picture/format'],
  ['%PDF-1.4', 'picture/format'],
  ['\x89PNG\r\n\x1a\nnonsense', 'picture/damaged'],
  ['BM', 'picture/truncated'],
])('%j is refused with %s', async (content, code) => {
  await expect(decodeImage(Buffer.from(content, 'latin1'), 'it')).rejects.toMatchObject({
    code,
    where: 'it',
  });
});

test('a missing file is said to be missing', async () => {
  await expect(decodeImage(join(fixtures, 'none.png'))).rejects.toMatchObject({ code: 'file/missing' });
});

test.each(names.filter((name) => name.endsWith('.bmp')))(
  'no damage to %s does worse than a PictureError',
  async (name) => {
    const whole = await readFile(join(fixtures, name));
    const damage = fc.array(fc.tuple(fc.nat({ max: 69 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat({ max: whole.length }), async (changes, length) => {
        const bytes = Uint8Array.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        try {
          const picture = await decodeImage(bytes);
          expect(picture.data.length).toBe(picture.width * picture.height * 3);
        } catch (error) {
          expect(error).toBeInstanceOf(PictureError);
        }
      }),
      { numRuns: 100 },
    );
  },
);

const odd = join(import.meta.dirname, '..', '..', '..', '..', '..', 'shared', 'data', 'odd_images');

/** Height, width and the code of the error of every picture in the folder of odd ones. */
const oddities: Record<string, [number, number] | string> = {
  'cmyk.jpg': [90, 120],
  'empty.jpg': 'picture/empty',
  'exif_orientation_6.JPEG': [392, 294],
  'grey.png': [90, 120],
  'greyscale_0.JPEG': [330, 500],
  'greyscale_1.JPEG': [467, 700],
  'name with space.jpg': [236, 343],
  'palette.png': [90, 120],
  'photo.bmp': [90, 120],
  'photo.webp': [90, 120],
  'progressive.jpg': [533, 800],
  'rgba.png': [90, 120],
  'strip_195x33.jpg': [33, 195],
  'text_in_disguise.jpg': 'picture/format',
  'tiny_59x45.jpg': [45, 59],
  'truncated.jpg': 'picture/truncated',
};

describe.skipIf(!existsSync(odd))('../shared/data/odd_images', () => {
  test('every picture there is in the list', () => {
    expect(readdirSync(odd).sort()).toEqual(Object.keys(oddities).sort());
  });

  test.each(Object.entries(oddities))('%s', async (name, outcome) => {
    const decoding = decodeImage(join(odd, name));
    if (typeof outcome === 'string') {
      await expect(decoding).rejects.toMatchObject({
        code: outcome,
        message: expect.stringContaining(basename(name)) as string,
      });
      return;
    }
    const picture = await decoding;
    expect([picture.height, picture.width]).toEqual(outcome);
    expect(picture.data.length).toBe(outcome[0] * outcome[1] * 3);
    const mean = picture.data.reduce((sum, value) => sum + value, 0) / picture.data.length;
    expect(mean).toBeGreaterThan(20);
    expect(mean).toBeLessThan(235);
  });
});
