import type { PaddingShape } from './padding.ts';

/** Index into the padded tensor of element `i` of the image. */
function paddedIndex({ h, w, c, top, bottom, left, right }: PaddingShape, i: number): number {
  const ch = i % c;
  const ix = Math.floor(i / c) % w;
  const iy = Math.floor(i / c / w) % h;
  const n = Math.floor(i / c / w / h);
  return ((n * (top + h + bottom) + iy + top) * (left + w + right) + ix + left) * c + ch;
}

/** `x` in a frame of zeros. */
export function zeroPad(shape: PaddingShape, x: ArrayLike<number>): Float64Array {
  const { n, h, w, c, top, bottom, left, right } = shape;
  const y = new Float64Array(n * (top + h + bottom) * (left + w + right) * c);
  for (let i = 0; i < n * h * w * c; i++) y[paddedIndex(shape, i)] = x[i] ?? NaN;
  return y;
}

/** `dy` without its frame. */
export function crop(shape: PaddingShape, dy: ArrayLike<number>): Float64Array {
  const { n, h, w, c } = shape;
  return Float64Array.from({ length: n * h * w * c }, (_, i) => dy[paddedIndex(shape, i)] ?? NaN);
}
