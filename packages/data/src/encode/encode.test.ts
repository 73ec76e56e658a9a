import { describe, expect, it } from 'vitest';
import { decodeImage } from '../decode/decode.ts';
import type { Picture } from '../picture/picture.ts';
import { encodePicture } from './encode.ts';
import { pictureGrid } from './grid.ts';

function even(width: number, height: number, level: number): Picture {
  return { width, height, data: new Uint8Array(width * height * 3).fill(level) };
}

describe('encodePicture', () => {
  const picture: Picture = {
    width: 5,
    height: 3,
    data: Uint8Array.from({ length: 45 }, (_, i) => i * 5),
  };

  it('loses nothing as PNG', async () => {
    expect(await decodeImage(await encodePicture(picture))).toEqual({
      ...picture,
      data: Buffer.from(picture.data),
    });
  });

  it.each(['jpeg', 'webp'] as const)('writes %s', async (format) => {
    const { width, height } = await decodeImage(await encodePicture(picture, format));
    expect([width, height]).toEqual([5, 3]);
  });
});

describe('pictureGrid', () => {
  it('puts pictures into cells, small ones into the middle', () => {
    const grid = pictureGrid([even(4, 2, 10), even(2, 2, 20), even(4, 2, 30)], {
      columns: 2,
      gap: 1,
      background: 0,
    });
    const rows = Array.from({ length: grid.height }, (_, y) =>
      Array.from({ length: grid.width }, (_, x) => grid.data[3 * (y * grid.width + x)]),
    );
    expect(rows).toEqual([
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [0, 10, 10, 10, 10, 0, 0, 20, 20, 0, 0],
      [0, 10, 10, 10, 10, 0, 0, 20, 20, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [0, 30, 30, 30, 30, 0, 0, 0, 0, 0, 0],
      [0, 30, 30, 30, 30, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]);
  });

  it('has no place for nothing', () => {
    expect(() => pictureGrid([], { columns: 2 })).toThrow(RangeError);
    expect(() => pictureGrid([even(1, 1, 0)], { columns: 0 })).toThrow(RangeError);
  });
});
