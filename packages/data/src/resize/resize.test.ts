import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readNpy } from '../npy/read.ts';
import type { Picture } from '../picture/picture.ts';
import { nearestSources } from './nearest.ts';
import { resize, resizeModeNamed, resizeModes } from './resize.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'resize');

async function source(): Promise<Picture> {
  const { shape, data } = await readNpy(join(fixtures, 'source.npy'));
  return { height: shape[0] ?? 0, width: shape[1] ?? 0, data: data as Uint8Array };
}

const cases = readdirSync(fixtures)
  .map((name) => /^([a-z-]+)_(\d+)x(\d+)\.npy$/.exec(name))
  .filter((match) => match !== null)
  .map((match) => [match[1] ?? '', Number(match[2]), Number(match[3])] as const);

test('there are fixtures for every way', () => {
  expect([...new Set(cases.map(([mode]) => mode))].sort()).toEqual([...resizeModes].sort());
});

test.each(cases)('%s to %i x %i is bit for bit that of PIL or TensorFlow', async (mode, height, width) => {
  const expected = await readNpy(join(fixtures, `${mode}_${height}x${width}.npy`));
  const result = resize(await source(), { height, width }, resizeModeNamed(mode));
  expect([result.height, result.width, 3]).toEqual(expected.shape);
  expect(result.data).toEqual(expected.data);
});

test('nearest takes the columns that PIL takes, whatever the two sizes', async () => {
  const pairs = JSON.parse(await readFile(join(fixtures, 'nearest_columns.json'), 'utf8')) as [
    number,
    number,
    number,
  ][];
  expect(pairs.length).toBeGreaterThan(400);
  for (const [before, after, checksum] of pairs) {
    const columns = Uint16Array.from(nearestSources(before, after));
    expect([before, after, crc32(columns)]).toEqual([before, after, checksum]);
  }
});

const size = fc.record({ height: fc.integer({ min: 1, max: 40 }), width: fc.integer({ min: 1, max: 40 }) });
const picture = size.chain(({ height, width }) =>
  fc
    .uint8Array({ minLength: height * width * 3, maxLength: height * width * 3 })
    .map((data): Picture => ({ height, width, data })),
);
const scaling = fc.constantFrom(...resizeModes.filter((mode) => mode !== 'pad'));

test('scaling keeps within the values that there were, and a plain colour stays it', () => {
  fc.assert(
    fc.property(picture, size, scaling, fc.nat({ max: 255 }), (from, to, mode, grey) => {
      const result = resize(from, to, mode);
      expect(result.data.length).toBe(to.height * to.width * 3);
      expect(Math.min(...result.data)).toBeGreaterThanOrEqual(Math.min(...from.data));
      expect(Math.max(...result.data)).toBeLessThanOrEqual(Math.max(...from.data));
      const plain = { ...from, data: new Uint8Array(from.data.length).fill(grey) };
      expect(resize(plain, to, mode).data.every((value) => value === grey)).toBe(true);
    }),
  );
});

test('the same size changes nothing and shares nothing', () => {
  fc.assert(
    fc.property(picture, fc.constantFrom(...resizeModes), (from, mode) => {
      const result = resize(from, from, mode);
      expect(result.data).toEqual(from.data);
      expect(result.data.buffer).not.toBe(from.data.buffer);
    }),
  );
});

test('padding a digit of 28 to 48 leaves ten zeros on every side', () => {
  const digit = { height: 28, width: 28, data: new Uint8Array(28 * 28 * 3).fill(9) };
  const { data } = resize(digit, { height: 48, width: 48 }, 'pad');
  const inside = (i: number) => i >= 10 && i < 38;
  data.forEach((value, i) => {
    const pixel = Math.floor(i / 3);
    expect(value).toBe(inside(Math.floor(pixel / 48)) && inside(pixel % 48) ? 9 : 0);
  });
});

test('padding never crops', () => {
  const large = { height: 5, width: 9, data: new Uint8Array(135) };
  expect(() => resize(large, { height: 8, width: 8 }, 'pad')).toThrow(/5x9 .* 8x8/);
});

test('unknown ways and impossible sizes are refused', () => {
  expect(() => resizeModeNamed('lanczos')).toThrow(/nearest, bilinear, pil-bilinear, pad/);
  expect(() => resizeModeNamed('toString')).toThrow(expect.objectContaining({ code: 'picture/resize-mode' }));
  expect(() => resize({ height: 1, width: 1, data: new Uint8Array(3) }, { height: 0, width: 3 })).toThrow(
    RangeError,
  );
});
