import type { Picture, PictureSize } from '../picture/picture.ts';

/** PIL's fixed point: weights are multiples of 2^-22, so that 8-bit sums fit an int32. */
const PRECISION_BITS = 32 - 8 - 2;

/**
 * Exactly PIL's `resize(size, BILINEAR)` (Resample.c): a triangle filter that widens when shrinking (antialias),
 * first along rows, then along columns, each rounded to 8 bits, in PIL's fixed-point arithmetic.
 */
export function resizePilBilinear(picture: Picture, { height, width }: PictureSize): Picture {
  let current = picture;
  if (width !== picture.width) current = resampleRows(current, width);
  if (height !== picture.height) current = resampleColumns(current, height);
  return current === picture ? { ...picture, data: new Uint8Array(picture.data) } : current;
}

/** For each target position the first source position, how many there are, and their weights. */
interface Filter {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `taps` fixed-point weights for each target position. */
  readonly weights: Int32Array;
  readonly taps: number;
}

function triangleFilter(before: number, after: number): Filter {
  const scale = before / after;
  const support = Math.max(scale, 1);
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(after);
  const counts = new Int32Array(after);
  const weights = new Int32Array(after * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < after; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), before) - start;
    let sum = 0;
    for (let t = 0; t < count; t++) {
      const distance = Math.abs((t + start - center + 0.5) * (1 / support));
      const weight = distance < 1 ? 1 - distance : 0;
      exact[t] = weight;
      sum += weight;
    }
    for (let t = 0; t < count; t++) {
      const share = sum === 0 ? 0 : (exact[t] ?? 0) / sum;
      weights[i * taps + t] = Math.trunc(0.5 + share * 2 ** PRECISION_BITS);
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, weights, taps };
}

function resampleRows({ width: before, height, data }: Picture, width: number): Picture {
  const filter = triangleFilter(before, width);
  const result = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * before + (filter.starts[x] ?? 0)) * 3;
      weighPixel(data, from, 3, filter, x, result, (y * width + x) * 3);
    }
  }
  return { width, height, data: result };
}

function resampleColumns({ width, height: before, data }: Picture, height: number): Picture {
  const filter = triangleFilter(before, height);
  const result = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((filter.starts[y] ?? 0) * width + x) * 3;
      weighPixel(data, from, width * 3, filter, y, result, (y * width + x) * 3);
    }
  }
  return { width, height, data: result };
}

/** Weighs the source pixels at `from`, `from + step` .. into the pixel at `to`. */
function weighPixel(
  source: Uint8Array,
  from: number,
  step: number,
  { counts, weights, taps }: Filter,
  target: number,
  result: Uint8Array,
  to: number,
): void {
  const half = 1 << (PRECISION_BITS - 1);
  let red = half;
  let green = half;
  let blue = half;
  const count = counts[target] ?? 0;
  for (let t = 0; t < count; t++, from += step) {
    const weight = weights[target * taps + t] ?? 0;
    red += (source[from] ?? 0) * weight;
    green += (source[from + 1] ?? 0) * weight;
    blue += (source[from + 2] ?? 0) * weight;
  }
  result[to] = Math.min(red >> PRECISION_BITS, 255);
  result[to + 1] = Math.min(green >> PRECISION_BITS, 255);
  result[to + 2] = Math.min(blue >> PRECISION_BITS, 255);
}
