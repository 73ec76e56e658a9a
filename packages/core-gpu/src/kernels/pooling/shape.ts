import { ConvbaseError } from '@convbase/base';
import { checkExtents } from '../check-extents.ts';

/** What a caller says about a pooling; tensors NHWC. */
export interface PoolOptions {
  /** `[n, h, w, c]` */
  readonly input: readonly [number, number, number, number];
  /** `[ph, pw]` */
  readonly pool: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
}

/** All numbers of one pooling. `top` and `left` are the rows and columns of padding before the picture. */
export interface PoolShape {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly ph: number;
  readonly pw: number;
  readonly sh: number;
  readonly sw: number;
  readonly oh: number;
  readonly ow: number;
  readonly top: number;
  readonly left: number;
}

/**
 * Works out output size and padding as Keras and TensorFlow do.
 *
 * SAME: `ceil(in / stride)` outputs, `max((out - 1) * stride + pool - in, 0)` rows of padding in all, the smaller half
 * in front. VALID: only windows that lie inside.
 *
 * @throws ConvbaseError `pooling/shape` for sizes that are no positive integers, or a VALID window larger than the
 * picture.
 */
export function poolShape(options: PoolOptions): PoolShape {
  const [n, h, w, c] = options.input;
  const [ph, pw] = options.pool;
  const [sh, sw] = options.strides;
  const sizes = { n, h, w, c, ph, pw, sh, sw };
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ConvbaseError('pooling/shape', `${name} is ${String(value)}, it must be a positive integer`);
    }
  }
  const rows = axis(h, ph, sh, options.padding);
  const columns = axis(w, pw, sw, options.padding);
  if (rows.out < 1 || columns.out < 1) {
    throw new ConvbaseError(
      'pooling/shape',
      `a ${String(ph)}x${String(pw)} window does not fit into ${String(h)}x${String(w)} with 'valid' padding`,
      { fix: "Use larger pictures or padding 'same'." },
    );
  }
  return { ...sizes, oh: rows.out, ow: columns.out, top: rows.before, left: columns.before };
}

/** Throws `kernel/shape` for a shape that `poolShape` did not make and that cannot be. */
export function checkPoolShape({ top, left, ...extents }: PoolShape): void {
  checkExtents('pooling', { ...extents, 'top + 1': top + 1, 'left + 1': left + 1 });
}

function axis(size: number, pool: number, stride: number, padding: 'same' | 'valid') {
  if (padding === 'valid') return { out: Math.floor((size - pool) / stride) + 1, before: 0 };
  const out = Math.ceil(size / stride);
  const total = Math.max((out - 1) * stride + pool - size, 0);
  return { out, before: Math.floor(total / 2) };
}
