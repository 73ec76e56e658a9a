import { ConvbaseError } from '@convbase/base';
import { checkExtents } from '../check-extents.ts';

/** What a caller says about a pooling; tensors NHWC. */
export interface PoolOptions {
  /** `[n, h, w, c]` */
  readonly input: readonly [number, number, number, number];
  /** `[poolH, poolW]` */
  readonly pool: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
}

/** All numbers of one pooling. `padTop` and `padLeft` are the rows and columns of padding before the image. */
export interface PoolShape {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly poolH: number;
  readonly poolW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly oh: number;
  readonly ow: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * Works out output size and padding as Keras and TensorFlow do.
 *
 * SAME: `ceil(in / stride)` outputs, `max((out - 1) * stride + pool - in, 0)` rows of padding in all, the smaller half
 * in front. VALID: only windows that lie inside.
 *
 * @throws ConvbaseError `pooling/shape` for sizes that are no positive integers, or a VALID window larger than the
 * image.
 */
export function poolShape(options: PoolOptions): PoolShape {
  const [n, h, w, c] = options.input;
  const [poolH, poolW] = options.pool;
  const [strideH, strideW] = options.strides;
  const sizes = { n, h, w, c, poolH, poolW, strideH, strideW };
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ConvbaseError('pooling/shape', `${name} is ${String(value)}, it must be a positive integer`);
    }
  }
  const rows = axis(h, poolH, strideH, options.padding);
  const columns = axis(w, poolW, strideW, options.padding);
  if (rows.out < 1 || columns.out < 1) {
    throw new ConvbaseError(
      'pooling/shape',
      `a ${String(poolH)}x${String(poolW)} window does not fit into ${String(h)}x${String(w)} with 'valid' padding`,
      { fix: "Use larger images or padding 'same'." },
    );
  }
  return { ...sizes, oh: rows.out, ow: columns.out, padTop: rows.before, padLeft: columns.before };
}

/** Throws `kernel/shape` for a shape that `poolShape` did not make and that cannot be. */
export function checkPoolShape({ padTop, padLeft, ...extents }: PoolShape): void {
  checkExtents('pooling', { ...extents, 'padTop + 1': padTop + 1, 'padLeft + 1': padLeft + 1 });
}

function axis(size: number, pool: number, stride: number, padding: 'same' | 'valid') {
  if (padding === 'valid') return { out: Math.floor((size - pool) / stride) + 1, before: 0 };
  const out = Math.ceil(size / stride);
  const total = Math.max((out - 1) * stride + pool - size, 0);
  return { out, before: Math.floor(total / 2) };
}
