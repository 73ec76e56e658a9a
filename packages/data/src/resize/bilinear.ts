import type { Picture, PictureSize } from '../picture/picture.ts';

/**
 * `tf.image.resize(x, size, method='bilinear', antialias=False)`: half-pixel centres, float32 arithmetic, edges
 * repeated. TensorFlow returns floats; here they are rounded to the nearest of 0..255, halves up.
 */
export function resizeBilinear(picture: Picture, { height, width }: PictureSize): Picture {
  const f = Math.fround;
  const rows = neighbours(picture.height, height);
  const columns = neighbours(picture.width, width);
  const source = picture.data;
  const stride = picture.width * 3;
  const data = new Uint8Array(height * width * 3);
  let out = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let c = 0; c < 3; c++) {
        const left = column.lower * 3 + c;
        const right = column.upper * 3 + c;
        const top = mix(source[row.lower * stride + left], source[row.lower * stride + right], column.share);
        const bottom = mix(
          source[row.upper * stride + left],
          source[row.upper * stride + right],
          column.share,
        );
        data[out++] = Math.floor(f(top + f(f(bottom - top) * row.share)) + 0.5);
      }
    }
  }
  return { width, height, data };
}

function mix(a = 0, b = 0, share = 0): number {
  return Math.fround(a + Math.fround((b - a) * share));
}

interface Neighbours {
  readonly lower: number;
  readonly upper: number;
  /** How much of `upper` there is in the result. */
  readonly share: number;
}

/** TensorFlow's compute_interpolation_weights with its HalfPixelScaler, in float32. */
function neighbours(before: number, after: number): Neighbours[] {
  const f = Math.fround;
  const scale = f(before / after);
  return Array.from({ length: after }, (_, i) => {
    const position = f(f((i + 0.5) * scale) - 0.5);
    const floor = Math.floor(position);
    return {
      lower: Math.max(floor, 0),
      upper: Math.min(Math.ceil(position), before - 1),
      share: f(position - floor),
    };
  });
}
