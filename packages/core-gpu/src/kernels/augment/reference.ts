import { preprocess } from '../preprocess/reference.ts';
import type { AugmentShape } from './augment.ts';
import type { ImageTransform } from './transform.ts';

/** Augmentation in float64, one output value after the other. */
export function augment(
  { n, h, w, c, oh = h, ow = w, mode = 'none' }: AugmentShape,
  transforms: readonly ImageTransform[],
  x: ArrayLike<number>,
): Float64Array {
  const y = new Float64Array(n * oh * ow * c);
  for (let image = 0; image < n; image++) {
    const transform = transforms[image] ?? {};
    const pixels = Float64Array.from({ length: h * w * c }, (_, i) => x[image * h * w * c + i] ?? NaN);
    const moved = move(transform, { h, w, c, oh, ow }, pixels);
    y.set(preprocess(mode, coloured(transform, c, moved)), image * oh * ow * c);
  }
  return y;
}

function move(
  transform: ImageTransform,
  { h, w, c, oh, ow }: Record<'h' | 'w' | 'c' | 'oh' | 'ow', number>,
  pixels: Float64Array,
): Float64Array {
  const [a0, a1, a2, b0, b1, b2] = transform.matrix ?? [1, 0, 0, 0, 1, 0];
  const { fillValue = 0 } = transform;
  const pixel = (column: number, row: number, ch: number): number =>
    column < 0 || row < 0 || column >= w || row >= h
      ? fillValue
      : (pixels[(row * w + column) * c + ch] ?? NaN);
  return Float64Array.from({ length: oh * ow * c }, (_, i) => {
    const ch = i % c;
    const x = Math.floor(i / c) % ow;
    const y = Math.floor(i / c / ow);
    const column = mapCoordinate(a0 * x + a1 * y + a2, w, transform);
    const row = mapCoordinate(b0 * x + b1 * y + b2, h, transform);
    if (column === null || row === null) return fillValue;
    if (transform.interpolation === 'nearest')
      return pixel(Math.floor(column + 0.5), Math.floor(row + 0.5), ch);
    let sum = 0;
    for (const i of [Math.floor(column), Math.floor(column) + 1]) {
      for (const j of [Math.floor(row), Math.floor(row) + 1]) {
        const weight = (1 - Math.abs(column - i)) * (1 - Math.abs(row - j));
        if (weight !== 0) sum += weight * pixel(i, j, ch);
      }
    }
    return sum;
  });
}

/**
 * Where along an axis of n pixels to look for place u; null for nowhere. As `map_coordinate` of SciPy's
 * ni_interpolation.c and `MapCoordinate` of TensorFlow's image_ops.h.
 */
function mapCoordinate(
  u: number,
  n: number,
  { fillMode = 'nearest', edges = 'scipy' }: ImageTransform,
): number | null {
  const last = n - 1;
  const clamp = (place: number): number => Math.min(Math.max(place, 0), last);
  switch (fillMode) {
    case 'nearest':
      return clamp(u);
    case 'reflect': {
      const folded = (((u + 0.5) % (2 * n)) + 2 * n) % (2 * n);
      return clamp((folded > n ? 2 * n - folded : folded) - 0.5);
    }
    case 'wrap': {
      if (n === 1) return 0;
      const period = edges === 'scipy' ? last : n;
      if (u < 0) return clamp(u + period * (Math.trunc(-u / last) + 1));
      return u > last ? clamp(u - period * Math.trunc(u / last)) : u;
    }
    case 'constant':
      return edges === 'scipy' && (u < 0 || u > last) ? null : u;
  }
}

function coloured(transform: ImageTransform, c: number, pixels: Float64Array): Float64Array {
  const { channelShift, brightness, contrast, offset = 0, valueRange } = transform;
  let values = pixels;
  if (channelShift !== undefined) {
    const low = values.reduce((a, b) => Math.min(a, b));
    const high = values.reduce((a, b) => Math.max(a, b));
    values = values.map((v) => Math.min(Math.max(v + channelShift, low), high));
  }
  if (brightness !== undefined) {
    // PIL multiplies in float32, and rounding down shows it.
    const product = (v: number): number => Math.fround(Math.floor(v) * Math.fround(brightness));
    values = values.map((v) => Math.min(Math.max(Math.floor(product(v)), 0), 255));
  }
  if (contrast !== undefined) {
    const sums = new Float64Array(c);
    values.forEach((v, i) => (sums[i % c] = (sums[i % c] ?? NaN) + v));
    const means = sums.map((sum) => sum / (values.length / c));
    values = values.map((v, i) => (v - (means[i % c] ?? NaN)) * contrast + (means[i % c] ?? NaN));
  }
  values = values.map((v) => v + offset);
  if (valueRange === undefined) return values;
  return values.map((v) => Math.min(Math.max(v, valueRange[0]), valueRange[1]));
}
