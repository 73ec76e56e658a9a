import { ConvbaseError } from '@convbase/base';
import type { Binding, KernelTarget } from '../../commands/plan.ts';
import type { Convolution, TensorView } from './convolution.ts';
import type { Conv2dShape } from './shape.ts';

/** A half-open range. */
type Range = readonly [number, number];

/** The part of the implicit GEMM that a subproblem computes: output pixels, and rows (kh, kw, ci) of the kernel matrix. */
interface GemmRange {
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
    | 'padTop'
    | 'padLeft'
    | 'xStrideN'
    | 'xStrideH'
    | 'xStrideW'
    | 'xOffset'
    | 'kernelOffset'
    | 'yStrideN'
    | 'yStrideH'
    | 'yStrideW'
    | 'yOffset',
    number
  >
>;

/** Values of the forward kernels' `struct Params` with the kernel's strides. */
type KernelUniforms = Readonly<Record<'kernelStrideH' | 'kernelStrideW' | 'kernelStrideRow', number>>;

/** A part of a convolution whose operands fit into bindings: values of the kernels' Params, and binding slices. */
export interface Subproblem {
  readonly uniforms: ConvolutionUniforms;
  readonly kernelUniforms: KernelUniforms;
  readonly x: (buffer: string) => Binding;
  readonly kernel: (buffer: string) => Binding;
  readonly y: (buffer: string) => Binding;
  /** Whether this is the first and the last subproblem that adds to its outputs (forward: to y). */
  readonly firstOfSum: boolean;
  readonly lastOfSum: boolean;
  /** Whether this subproblem has the first pixels (filter gradient: it is the first to write its part of dkernel). */
  readonly firstPixels: boolean;
}

/**
 * Splits a convolution into subproblems, so that the slices of x, kernel and y that one of them reads or writes each fit
 * into a binding. It is one subproblem where everything fits. Subproblems that add to the same y come in order. A
 * transposed kernel has to fit into a binding as a whole.
 *
 * Where the slice of x or y is too large, the pixels are halved (whole images first, then whole rows). Where the kernel
 * is too large, or a single pixel still needs too much of x, the kernel's rows are halved, then its columns, then its
 * input channels: in that order each part of the kernel stays contiguous.
 *
 * @throws ConvbaseError `conv2d/too-large` where one row of channels exceeds a binding.
 */
export function splitConvolution(c: Convolution, target: KernelTarget): Subproblem[] {
  const { n, oh, ow, kh, kw, ci } = c.shape;
  const subproblems: Subproblem[] = [];
  const visit = (range: GemmRange, firstOfSum: boolean, lastOfSum: boolean): void => {
    const ranges = { x: xRange(c, range), kernel: kernelRange(c, range), y: yRange(c, range) };
    const fits = (name: 'x' | 'kernel' | 'y') =>
      bindingOf(ranges[name], target).size <= target.maxBindingBytes;
    const pixelsCanSplit = range.pixels[1] - range.pixels[0] > 1;
    if (fits('x') && fits('kernel') && fits('y')) {
      subproblems.push(makeSubproblem(c, range, ranges, target, firstOfSum, lastOfSum));
    } else if (pixelsCanSplit && !(fits('x') && fits('y'))) {
      for (const pixels of halves(range.pixels, [oh * ow, ow, 1]))
        visit({ ...range, pixels }, firstOfSum, lastOfSum);
    } else {
      const axis = (['kh', 'kw', 'ci'] as const).find((name) => range[name][1] - range[name][0] > 1);
      if (!axis || !fits('y')) throw tooLarge(c.shape.ci, c.shape.co, target);
      const [low, high] = halves(range[axis], axis === 'ci' ? [4, 1] : [1]);
      visit({ ...range, [axis]: low }, firstOfSum, false);
      visit({ ...range, [axis]: high }, false, lastOfSum);
    }
  };
  visit({ pixels: [0, n * oh * ow], kh: [0, kh], kw: [0, kw], ci: [0, ci] }, true, true);
  return subproblems;
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

/** The floats of a view from pixel `from` to `channels` channels of pixel `to`, both as (n, h, w). */
function rangeOf(view: TensorView, from: readonly number[], to: readonly number[], channels: number): Range {
  const start = ([n = 0, row = 0, column = 0]: readonly number[]) =>
    view.offset + n * view.strideN + row * view.strideH + column * view.strideW;
  return [start(from), start(to) + channels];
}

/** (n, oh, ow) of an output pixel. */
function coordinates(pixel: number, { oh, ow }: Conv2dShape): [number, number, number] {
  return [Math.floor(pixel / (oh * ow)), Math.floor(pixel / ow) % oh, pixel % ow];
}

function yRange(c: Convolution, range: GemmRange): Range {
  return rangeOf(
    c.y,
    coordinates(range.pixels[0], c.shape),
    coordinates(range.pixels[1] - 1, c.shape),
    c.shape.co,
  );
}

function xRange(c: Convolution, range: GemmRange): Range {
  const s = c.shape;
  const [n0, oy0, ox0] = coordinates(range.pixels[0], s);
  const [n1, oy1, ox1] = coordinates(range.pixels[1] - 1, s);
  const oneImage = n0 === n1;
  const oneRow = oneImage && oy0 === oy1;
  const clamp = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1);
  const row = (oy: number, ky: number) => clamp(oy * s.strideH + ky * s.dilationH - s.padTop, s.h);
  const column = (ox: number, kx: number) => clamp(ox * s.strideW + kx * s.dilationW - s.padLeft, s.w);
  const from = [n0, oneImage ? row(oy0, range.kh[0]) : 0, oneRow ? column(ox0, range.kw[0]) : 0];
  const to = [
    n1,
    oneImage ? row(oy1, range.kh[1] - 1) : s.h - 1,
    oneRow ? column(ox1, range.kw[1] - 1) : s.w - 1,
  ];
  const [low, high] = rangeOf(c.x, from, to, range.ci[1] - range.ci[0]);
  return [low + range.ci[0], high + range.ci[0]];
}

function kernelRange(c: Convolution, range: GemmRange): Range {
  if (c.kernel.transposed) return [0, c.kernel.length];
  const last = weightAt(c, range.kh[1] - 1, range.kw[1] - 1, range.ci[1] - 1);
  return [weightAt(c, range.kh[0], range.kw[0], range.ci[0]), last + c.shape.co];
}

/** The position in the kernel's buffer of a weight: of a tap, an input channel and the first output channel. */
function weightAt({ kernel }: Convolution, ky: number, kx: number, channel: number): number {
  const step = kernel.transposed ? 1 : kernel.strideRow;
  return kernel.offset + ky * kernel.strideH + kx * kernel.strideW + channel * step;
}

/** The bytes to bind for a range of floats: they start at a legal offset at or before it. */
function bindingOf([low, high]: Range, target: KernelTarget): { offset: number; size: number } {
  const offset = Math.floor((4 * low) / target.offsetAlignment) * target.offsetAlignment;
  return { offset, size: 4 * high - offset };
}

function makeSubproblem(
  c: Convolution,
  range: GemmRange,
  ranges: Readonly<Record<'x' | 'kernel' | 'y', Range>>,
  target: KernelTarget,
  firstOfSum: boolean,
  lastOfSum: boolean,
): Subproblem {
  const s = c.shape;
  const lengths = { x: c.x.length, kernel: c.kernel.length, y: c.y.length };
  // A buffer that fits is bound whole: fewer bind groups, and the same one for every subproblem.
  const bind = (name: 'x' | 'kernel' | 'y') => {
    const whole = 4 * lengths[name] <= target.maxBindingBytes;
    const { offset, size } = whole ? { offset: 0, size: 0 } : bindingOf(ranges[name], target);
    return {
      start: offset / 4,
      of: (buffer: string): Binding => (whole ? buffer : { buffer, offset, size }),
    };
  };
  const [x, kernel, y] = [bind('x'), bind('kernel'), bind('y')];
  // Pixels are counted from the first image of the subproblem, so that offsets stay small.
  const firstImage = Math.floor(range.pixels[0] / (s.oh * s.ow));
  return {
    uniforms: {
      first: range.pixels[0] - firstImage * s.oh * s.ow,
      pixels: range.pixels[1] - range.pixels[0],
      oh: s.oh,
      ow: s.ow,
      h: s.h,
      w: s.w,
      ci: range.ci[1] - range.ci[0],
      co: s.co,
      kh: range.kh[1] - range.kh[0],
      kw: range.kw[1] - range.kw[0],
      strideH: s.strideH,
      strideW: s.strideW,
      dilationH: s.dilationH,
      dilationW: s.dilationW,
      padTop: s.padTop - range.kh[0] * s.dilationH,
      padLeft: s.padLeft - range.kw[0] * s.dilationW,
      xStrideN: c.x.strideN,
      xStrideH: c.x.strideH,
      xStrideW: c.x.strideW,
      xOffset: firstImage * c.x.strideN + c.x.offset + range.ci[0] - x.start,
      kernelOffset: weightAt(c, range.kh[0], range.kw[0], range.ci[0]) - kernel.start,
      yStrideN: c.y.strideN,
      yStrideH: c.y.strideH,
      yStrideW: c.y.strideW,
      yOffset: firstImage * c.y.strideN + c.y.offset - y.start,
    },
    kernelUniforms: {
      kernelStrideH: c.kernel.strideH,
      kernelStrideW: c.kernel.strideW,
      kernelStrideRow: c.kernel.strideRow,
    },
    x: x.of,
    kernel: kernel.of,
    y: y.of,
    firstOfSum,
    lastOfSum,
    firstPixels: range.pixels[0] === 0,
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
