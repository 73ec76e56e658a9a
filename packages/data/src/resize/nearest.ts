import type { Picture, PictureSize } from '../picture/picture.ts';

/** Exactly PIL's `resize(size, NEAREST)`, the default of Keras' generators. */
export function resizeNearest(picture: Picture, { height, width }: PictureSize): Picture {
  const columns = nearestSources(picture.width, width);
  const rows = nearestSources(picture.height, height);
  const data = new Uint8Array(height * width * 3);
  const source = picture.data;
  for (let y = 0, out = 0; y < height; y++) {
    const start = (rows[y] ?? 0) * picture.width;
    for (let x = 0; x < width; x++) {
      const from = (start + (columns[x] ?? 0)) * 3;
      data[out++] = source[from] ?? 0;
      data[out++] = source[from + 1] ?? 0;
      data[out++] = source[from + 2] ?? 0;
    }
  }
  return { width, height, data };
}

/**
 * Which source position each target position takes: `floor((i + 0.5) * before / after)`, where PIL (Geometry.c,
 * ImagingScaleAffine) adds up the steps in double precision instead of multiplying, and so must we.
 */
export function nearestSources(before: number, after: number): Uint32Array {
  const step = before / after;
  const sources = new Uint32Array(after);
  let position = step * 0.5;
  for (let i = 0; i < after; i++) {
    sources[i] = Math.min(Math.floor(position), before - 1);
    position += step;
  }
  return sources;
}
