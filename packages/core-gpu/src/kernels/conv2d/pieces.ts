import { ConvbaseError } from '@convbase/base';
import type { Binding, KernelTarget } from '../../commands/plan.ts';
import type { Conv2dShape } from './shape.ts';

/** Where the elements of a tensor lie, in floats: pixel (n, row, column) starts at the sum of the three steps. */
interface View {
  readonly image: number;
  readonly row: number;
  readonly pixel: number;
  /** Where pixel (0, 0, 0) lies in its buffer. */
  readonly offset: number;
  /** Floats in the whole buffer. */
  readonly length: number;
}

/**
 * A convolution as the kernels see it: a shape, and views that say where x and y lie. The same kernels compute
 * the forward pass and, with dy as x and every stride-th pixel of dx as y, the input gradient.
 */
export interface Convolution {
  readonly shape: Conv2dShape;
  readonly x: View;
  readonly y: View;
  /**
   * Floats in the kernel's buffer, and where this kernel starts in it: tap (ky, kx) holds a matrix at `offset + ky * row
   * + kx * tap`. Its rows are the ci, `pitch` apart, or where it is `transposed` the co.
   */
  readonly kernel: {
    readonly offset: number;
    readonly length: number;
    readonly row: number;
    readonly tap: number;
    readonly pitch: number;
    readonly transposed: boolean;
  };
}

/** The convolution of dense tensors; with `slice`, into some channels of a y that has more. */
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
    x: { image: h * w * ci, row: w * ci, pixel: ci, offset: 0, length: n * h * w * ci },
    y: {
      image: oh * ow * channels,
      row: ow * channels,
      pixel: channels,
      offset,
      length: n * oh * ow * channels,
    },
    kernel: denseKernel(kh, kw, ci, co),
  };
}

/** Where the taps of a dense kernel lie that starts at `offset` of a buffer of `length`. */
export function denseKernel(
  kh: number,
  kw: number,
  ci: number,
  co: number,
  offset = 0,
  length = kh * kw * ci * co,
): Convolution['kernel'] {
  return { offset, length, row: kw * ci * co, tap: ci * co, pitch: co, transposed: false };
}

/** A half-open range. */
type Range = readonly [number, number];

/** A box of the whole sum: some output pixels and some rows of the kernel matrix (kh, kw, ci) x co. */
interface Box {
  /** Output pixels counted through n, oh, ow. */
  readonly pixels: Range;
  readonly kh: Range;
  readonly kw: Range;
  readonly ci: Range;
}

/** Values of the kernels' `struct Params`. */
type ConvolutionUniforms = Readonly<
  Record<
    | 'first'
    | 'pixels'
    | 'oh'
    | 'ow'
    | 'h'
    | 'w'
    | 'ci'
    | 'co'
    | 'kh'
    | 'kw'
    | 'strideH'
    | 'strideW'
    | 'dilationH'
    | 'dilationW'
    | 'top'
    | 'left'
    | 'xImage'
    | 'xRow'
    | 'xPixel'
    | 'xOffset'
    | 'kernelOffset'
    | 'yImage'
    | 'yRow'
    | 'yPixel'
    | 'yOffset',
    number
  >
>;

/** Values of the forward kernels' `struct Params` that say how the kernel lies. */
type KernelUniforms = Readonly<Record<'kernelRow' | 'kernelTap' | 'kernelPitch', number>>;

/** One dispatch's share of a convolution: values of the kernels' Params, and what to bind. */
export interface Piece {
  readonly uniforms: ConvolutionUniforms;
  readonly kernelUniforms: KernelUniforms;
  readonly x: (buffer: string) => Binding;
  readonly kernel: (buffer: string) => Binding;
  readonly y: (buffer: string) => Binding;
  /** Whether this is the first and the last piece that adds to its outputs (forward: to y). */
  readonly firstOfSum: boolean;
  readonly lastOfSum: boolean;
  /** Whether this piece holds the first pixels of its weights (filter gradient: adds first to its dkernel). */
  readonly firstPixels: boolean;
}

/**
 * Cuts a convolution (a transposed kernel of which fits into one binding) into pieces whose windows of x, kernel and y each fit into one binding; one piece where
 * everything fits. Pieces that add to the same y come in order.
 *
 * Too large a window of x or y halves the pixels (whole images first, then whole rows); too large a kernel, or a
 * single pixel that still sees too much of x, halves the kernel's rows, then its columns, then its channels: in that
 * order each share of the kernel stays one stretch of memory.
 *
 * @throws ConvbaseError `conv2d/too-large` where one row of channels exceeds a binding.
 */
export function convolutionPieces(c: Convolution, target: KernelTarget): Piece[] {
  const { n, oh, ow, kh, kw, ci } = c.shape;
  const pieces: Piece[] = [];
  const visit = (box: Box, firstOfSum: boolean, lastOfSum: boolean): void => {
    const windows = { x: xWindow(c, box), kernel: kernelWindow(c, box), y: yWindow(c, box) };
    const fits = (name: 'x' | 'kernel' | 'y') =>
      bindingOf(windows[name], target).size <= target.maxBindingBytes;
    const pixelsCanSplit = box.pixels[1] - box.pixels[0] > 1;
    if (fits('x') && fits('kernel') && fits('y')) {
      pieces.push(makePiece(c, box, windows, target, firstOfSum, lastOfSum));
    } else if (pixelsCanSplit && !(fits('x') && fits('y'))) {
      for (const pixels of halves(box.pixels, [oh * ow, ow, 1]))
        visit({ ...box, pixels }, firstOfSum, lastOfSum);
    } else {
      const axis = (['kh', 'kw', 'ci'] as const).find((name) => box[name][1] - box[name][0] > 1);
      if (!axis || !fits('y')) throw tooLarge(c.shape.ci, c.shape.co, target);
      const [low, high] = halves(box[axis], axis === 'ci' ? [4, 1] : [1]);
      visit({ ...box, [axis]: low }, firstOfSum, false);
      visit({ ...box, [axis]: high }, false, lastOfSum);
    }
  };
  visit({ pixels: [0, n * oh * ow], kh: [0, kh], kw: [0, kw], ci: [0, ci] }, true, true);
  return pieces;
}

/** Cuts a range near its middle, at a multiple of the first of `steps` that lies inside it. */
function halves([low, high]: Range, steps: readonly number[]): [Range, Range] {
  const middle = (low + high) / 2;
  for (const step of steps) {
    for (const cut of [Math.floor(middle / step) * step, Math.ceil(middle / step) * step]) {
      if (cut > low && cut < high) {
        return [
          [low, cut],
          [cut, high],
        ];
      }
    }
  }
  throw new RangeError(`nothing to cut in ${String(low)}..${String(high)}`);
}

/** The stretch of a view from pixel `from` up to and with pixel `to` (row and column), `channels` long there. */
function stretch(view: View, from: readonly number[], to: readonly number[], channels: number): Range {
  const place = ([n = 0, row = 0, column = 0]: readonly number[]) =>
    view.offset + n * view.image + row * view.row + column * view.pixel;
  return [place(from), place(to) + channels];
}

function place(pixel: number, { oh, ow }: Conv2dShape): [number, number, number] {
  return [Math.floor(pixel / (oh * ow)), Math.floor(pixel / ow) % oh, pixel % ow];
}

function yWindow(c: Convolution, box: Box): Range {
  return stretch(c.y, place(box.pixels[0], c.shape), place(box.pixels[1] - 1, c.shape), c.shape.co);
}

function xWindow(c: Convolution, box: Box): Range {
  const s = c.shape;
  const [n0, oy0, ox0] = place(box.pixels[0], s);
  const [n1, oy1, ox1] = place(box.pixels[1] - 1, s);
  const oneImage = n0 === n1;
  const oneRow = oneImage && oy0 === oy1;
  const clamp = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1);
  const row = (oy: number, ky: number) => clamp(oy * s.strideH + ky * s.dilationH - s.top, s.h);
  const column = (ox: number, kx: number) => clamp(ox * s.strideW + kx * s.dilationW - s.left, s.w);
  const from = [n0, oneImage ? row(oy0, box.kh[0]) : 0, oneRow ? column(ox0, box.kw[0]) : 0];
  const to = [
    n1,
    oneImage ? row(oy1, box.kh[1] - 1) : s.h - 1,
    oneRow ? column(ox1, box.kw[1] - 1) : s.w - 1,
  ];
  const [low, high] = stretch(c.x, from, to, box.ci[1] - box.ci[0]);
  return [low + box.ci[0], high + box.ci[0]];
}

function kernelWindow(c: Convolution, box: Box): Range {
  if (c.kernel.transposed) return [0, c.kernel.length];
  const last = weightAt(c, box.kh[1] - 1, box.kw[1] - 1, box.ci[1] - 1);
  return [weightAt(c, box.kh[0], box.kw[0], box.ci[0]), last + c.shape.co];
}

/** Where the weight of a tap, an input channel and the first output channel lies in the kernel's buffer. */
function weightAt({ kernel }: Convolution, ky: number, kx: number, channel: number): number {
  const step = kernel.transposed ? 1 : kernel.pitch;
  return kernel.offset + ky * kernel.row + kx * kernel.tap + channel * step;
}

/** The bytes to bind for a range of floats: they start at a legal offset at or before it. */
function bindingOf([low, high]: Range, target: KernelTarget): { offset: number; size: number } {
  const offset = Math.floor((4 * low) / target.offsetAlignment) * target.offsetAlignment;
  return { offset, size: 4 * high - offset };
}

function makePiece(
  c: Convolution,
  box: Box,
  windows: Readonly<Record<'x' | 'kernel' | 'y', Range>>,
  target: KernelTarget,
  firstOfSum: boolean,
  lastOfSum: boolean,
): Piece {
  const s = c.shape;
  const lengths = { x: c.x.length, kernel: c.kernel.length, y: c.y.length };
  // A buffer that fits is bound whole: fewer bind groups, and the same one for every piece.
  const bind = (name: 'x' | 'kernel' | 'y') => {
    const whole = 4 * lengths[name] <= target.maxBindingBytes;
    const { offset, size } = whole ? { offset: 0, size: 0 } : bindingOf(windows[name], target);
    return {
      start: offset / 4,
      of: (buffer: string): Binding => (whole ? buffer : { buffer, offset, size }),
    };
  };
  const [x, kernel, y] = [bind('x'), bind('kernel'), bind('y')];
  // Pixels are counted from the first image of the piece, so that offsets stay small.
  const firstImage = Math.floor(box.pixels[0] / (s.oh * s.ow));
  return {
    uniforms: {
      first: box.pixels[0] - firstImage * s.oh * s.ow,
      pixels: box.pixels[1] - box.pixels[0],
      oh: s.oh,
      ow: s.ow,
      h: s.h,
      w: s.w,
      ci: box.ci[1] - box.ci[0],
      co: s.co,
      kh: box.kh[1] - box.kh[0],
      kw: box.kw[1] - box.kw[0],
      strideH: s.strideH,
      strideW: s.strideW,
      dilationH: s.dilationH,
      dilationW: s.dilationW,
      top: s.top - box.kh[0] * s.dilationH,
      left: s.left - box.kw[0] * s.dilationW,
      xImage: c.x.image,
      xRow: c.x.row,
      xPixel: c.x.pixel,
      xOffset: firstImage * c.x.image + c.x.offset + box.ci[0] - x.start,
      kernelOffset: weightAt(c, box.kh[0], box.kw[0], box.ci[0]) - kernel.start,
      yImage: c.y.image,
      yRow: c.y.row,
      yPixel: c.y.pixel,
      yOffset: firstImage * c.y.image + c.y.offset - y.start,
    },
    kernelUniforms: { kernelRow: c.kernel.row, kernelTap: c.kernel.tap, kernelPitch: c.kernel.pitch },
    x: x.of,
    kernel: kernel.of,
    y: y.of,
    firstOfSum,
    lastOfSum,
    firstPixels: box.pixels[0] === 0,
  };
}

/** The error for channels that no splitting makes fit. */
export function tooLarge(ci: number, co: number, target: KernelTarget): ConvbaseError {
  return new ConvbaseError(
    'conv2d/too-large',
    `${String(ci)} input and ${String(co)} output channels do not fit into bindings of ${String(target.maxBindingBytes)} bytes`,
    { where: 'conv2d', fix: 'Use an adapter that allows larger storage bindings.' },
  );
}
