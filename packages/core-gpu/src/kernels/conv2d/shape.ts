import { ConvbaseError } from '@convbase/base';
import { checkExtents } from '../check-extents.ts';

/** What a caller says about a convolution; tensors NHWC, filters HWIO. */
export interface Conv2dOptions {
  /** `[n, h, w, ci]` */
  readonly input: readonly [number, number, number, number];
  /** `[kh, kw, ci, co]` */
  readonly kernel: readonly [number, number, number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
  readonly dilations?: readonly [number, number];
}

/** All numbers of one convolution. `padTop` and `padLeft` are the rows and columns of zeros before the image. */
export interface Conv2dShape {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly ci: number;
  readonly kh: number;
  readonly kw: number;
  readonly co: number;
  readonly oh: number;
  readonly ow: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * Works out output size and padding as Keras and TensorFlow do.
 *
 * SAME: `ceil(in / stride)` outputs, `max((out - 1) * stride + (k - 1) * dilation + 1 - in, 0)` zeros in all, the
 * smaller half in front. VALID: only receptive fields that lie inside the image.
 *
 * @throws ConvbaseError `conv2d/shape` for sizes that are no positive integers, channels that disagree, or a VALID
 * receptive field larger than the image.
 */
export function conv2dShape(options: Conv2dOptions): Conv2dShape {
  const [n, h, w, ci] = options.input;
  const [kh, kw, kernelCi, co] = options.kernel;
  const [strideH, strideW] = options.strides;
  const [dilationH, dilationW] = options.dilations ?? [1, 1];
  const sizes = { n, h, w, ci, kh, kw, co, strideH, strideW, dilationH, dilationW };
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ConvbaseError('conv2d/shape', `${name} is ${String(value)}, it must be a positive integer`, {
        where: 'conv2d',
      });
    }
  }
  if (ci !== kernelCi) {
    throw new ConvbaseError(
      'conv2d/shape',
      `the input has ${String(ci)} channels, the kernel wants ${String(kernelCi)}`,
      { where: 'conv2d' },
    );
  }
  const rows = axis(h, kh, strideH, dilationH, options.padding);
  const columns = axis(w, kw, strideW, dilationW, options.padding);
  if (rows.out < 1 || columns.out < 1) {
    throw new ConvbaseError(
      'conv2d/shape',
      `a ${String(kh)}x${String(kw)} kernel does not fit into ${String(h)}x${String(w)} with 'valid' padding`,
      { where: 'conv2d', fix: "Use larger images or padding 'same'." },
    );
  }
  return { ...sizes, oh: rows.out, ow: columns.out, padTop: rows.before, padLeft: columns.before };
}

/** Throws `kernel/shape` for a shape that `conv2dShape` did not make and that cannot be. */
export function checkConv2dShape({ padTop, padLeft, ...extents }: Conv2dShape): void {
  checkExtents('conv2d', { ...extents, 'padTop + 1': padTop + 1, 'padLeft + 1': padLeft + 1 });
}

function axis(size: number, k: number, stride: number, dilation: number, padding: 'same' | 'valid') {
  const extent = (k - 1) * dilation + 1;
  if (padding === 'valid') return { out: Math.floor((size - extent) / stride) + 1, before: 0 };
  const out = Math.ceil(size / stride);
  const total = Math.max((out - 1) * stride + extent - size, 0);
  return { out, before: Math.floor(total / 2) };
}

/** Floating point operations of one convolution; each of its two gradients takes as many. */
export function conv2dFlops(s: Conv2dShape): number {
  return 2 * s.n * s.oh * s.ow * s.co * s.kh * s.kw * s.ci;
}

/** Floats in x, kernel and y. */
export function conv2dLengths(s: Conv2dShape): { x: number; kernel: number; y: number } {
  return { x: s.n * s.h * s.w * s.ci, kernel: s.kh * s.kw * s.ci * s.co, y: s.n * s.oh * s.ow * s.co };
}
