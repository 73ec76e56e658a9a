import type { Picture, PictureSize } from '../picture/picture.ts';

/**
 * `tf.image.resize(x, size, method='bilinear', antialias=False)`: half-pixel centres, float32 arithmetic, edges
 * repeated. TensorFlow returns floats; here they are rounded to the nearest of 0..255, halves up.
 *
 * Each source row that is needed is mixed along its columns once, and two such rows are mixed into a row of the result.
 */
export function resizeBilinear(picture: Picture, { height, width }: PictureSize): Picture {
  const f = Math.fround;
  const rows = neighbours(picture.height, height);
  const columns = neighbours(picture.width, width);
  const data = new Uint8Array(height * width * 3);
  let top: MixedRow = { row: -1, values: new Float32Array(width * 3) };
  let bottom: MixedRow = { row: -1, values: new Float32Array(width * 3) };
  for (let y = 0, out = 0; y < height; y++) {
    const lower = rows.lower[y] ?? 0;
    const upper = rows.upper[y] ?? 0;
    // Going down, what was the row below is often the row above next.
    if (bottom.row === lower) [top, bottom] = [bottom, top];
    if (top.row !== lower) mixColumns(picture, lower, columns, top);
    if (upper !== lower && bottom.row !== upper) mixColumns(picture, upper, columns, bottom);
    const above = top.values;
    const below = upper === lower ? above : bottom.values;
    const share = rows.share[y] ?? 0;
    for (let i = 0; i < width * 3; i++) {
      const a = above[i] ?? 0;
      data[out++] = Math.floor(f(a + f(f((below[i] ?? 0) - a) * share)) + 0.5);
    }
  }
  return { width, height, data };
}

/** A source row with the columns of the result. */
interface MixedRow {
  row: number;
  readonly values: Float32Array;
}

function mixColumns(
  picture: Picture,
  row: number,
  { lower, upper, share }: Neighbours,
  into: MixedRow,
): void {
  const f = Math.fround;
  const source = picture.data;
  const start = row * picture.width * 3;
  const { values } = into;
  into.row = row;
  for (let x = 0, out = 0; x < lower.length; x++) {
    const part = share[x] ?? 0;
    const left = start + (lower[x] ?? 0) * 3;
    const right = start + (upper[x] ?? 0) * 3;
    for (let c = 0; c < 3; c++) {
      const a = source[left + c] ?? 0;
      values[out++] = a + f(((source[right + c] ?? 0) - a) * part);
    }
  }
}

/** For each target position the two source positions that it lies between. */
interface Neighbours {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  /** How much of `upper` there is in the result. */
  readonly share: Float32Array;
}

/** TensorFlow's compute_interpolation_weights with its HalfPixelScaler, in float32. */
function neighbours(before: number, after: number): Neighbours {
  const f = Math.fround;
  const scale = f(before / after);
  const found = {
    lower: new Int32Array(after),
    upper: new Int32Array(after),
    share: new Float32Array(after),
  };
  for (let i = 0; i < after; i++) {
    const position = f(f((i + 0.5) * scale) - 0.5);
    const floor = Math.floor(position);
    found.lower[i] = Math.max(floor, 0);
    found.upper[i] = Math.min(Math.ceil(position), before - 1);
    found.share[i] = position - floor;
  }
  return found;
}
