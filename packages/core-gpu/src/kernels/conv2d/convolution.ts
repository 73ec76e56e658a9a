import type { Conv2dShape } from './shape.ts';

/** A strided NHWC tensor in a buffer, in floats: pixel (n, h, w) starts at `offset + n * strideN + h * strideH + w * strideW`. */
export interface TensorView {
  readonly strideN: number;
  readonly strideH: number;
  readonly strideW: number;
  /** The position of pixel (0, 0, 0) in its buffer. */
  readonly offset: number;
  /** Floats in the whole buffer. */
  readonly length: number;
}

/**
 * A convolution as the kernels see it: a shape, and strided views of x and y. The same kernels compute the forward pass
 * and, with dy as x and every stride-th pixel of dx as y, the input gradient.
 */
export interface Convolution {
  readonly shape: Conv2dShape;
  readonly x: TensorView;
  readonly y: TensorView;
  /**
   * Floats in the kernel's buffer, and the strides in it. The matrix of tap (ky, kx) starts at `offset + ky * strideH
   * + kx * strideW`. Its rows are `strideRow` apart: one for each input channel, or where it is `transposed` one for
   * each output channel. Negative strides read a flipped kernel.
   */
  readonly kernel: {
    readonly offset: number;
    readonly length: number;
    readonly strideH: number;
    readonly strideW: number;
    readonly strideRow: number;
    readonly transposed: boolean;
  };
}

/** The convolution of dense tensors; with `slice`, into some channels of a wider y. */
export function denseConvolution(
  shape: Conv2dShape,
  { channels, offset }: { readonly channels: number; readonly offset: number } = {
    channels: shape.co,
    offset: 0,
  },
): Convolution {
  const { n, h, w, ci, oh, ow, co, kh, kw } = shape;
  return {
    shape,
    x: { strideN: h * w * ci, strideH: w * ci, strideW: ci, offset: 0, length: n * h * w * ci },
    y: {
      strideN: oh * ow * channels,
      strideH: ow * channels,
      strideW: channels,
      offset,
      length: n * oh * ow * channels,
    },
    kernel: denseKernel(kh, kw, ci, co),
  };
}

/** The strides of a dense kernel that starts at `offset` of a buffer of `length` floats. */
export function denseKernel(
  kh: number,
  kw: number,
  ci: number,
  co: number,
  offset = 0,
  length = kh * kw * ci * co,
): Convolution['kernel'] {
  return { offset, length, strideH: kw * ci * co, strideW: ci * co, strideRow: co, transposed: false };
}
