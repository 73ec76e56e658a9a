import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage } from '@convbase/data';
import { expect, it } from 'vitest';
import { digitAt, drawDigits, writePng } from './digits.js';

const pixels = [0, 255, 255, 0, 255, 255, 0, 0];
const images = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, ...pixels]);

it('draws digits side by side', () => {
  // Ink above right and below left is dots 4 and 2; ink in the upper row is dots 1 and 4.
  expect(drawDigits([digitAt(images, 0), digitAt(images, 1)])).toBe('⠊  ⠉');
});

it('writes pictures that decode to the same pixels', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'convbase-digits-'));
  const path = join(folder, 'digit.png');
  await writePng(path, digitAt(images, 1));
  const { width, height, data } = await decodeImage(path);
  expect([width, height, ...data]).toEqual([2, 2, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0]);
  await rm(folder, { recursive: true });
});
