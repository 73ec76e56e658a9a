import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { tunedChoice } from '../../tuning/table.ts';
import { planWithFragments } from '../fragments.ts';
import { inputGradientCandidates } from './candidates.ts';
import { chooseConv2dForward, type ForwardChoice } from './choose.ts';
import { convolve } from './convolve.ts';
import { conv2dBytes } from './forward.ts';
import { noEpilogue, withoutEpilogueBuffers } from './epilogue.ts';
import { packKernel, type TapRange } from './pack-kernel.ts';
import { copyChannels, padChannels } from './pad-channels.ts';
import { denseKernel, type Convolution } from './convolution.ts';
import { checkConv2dShape, conv2dFlops, conv2dLengths, type Conv2dShape } from './shape.ts';

/**
 * dx from dy. Buffers: `dy [n, oh, ow, co]`, `kernel [kh, kw, ci, co]`, `dx [n, h, w, ci]`.
 *
 * The input gradient is a forward convolution over dy, with the kernel flipped and its channels swapped. With
 * strides it is one for each of the strideH x strideW phases of dx, see README.md.
 */
export function planConv2dInputGradient(
  shape: Conv2dShape,
  target: KernelTarget,
  choice?: ForwardChoice,
): Plan {
  checkConv2dShape(shape);
  return planWithFragments(['dy', 'kernel'], target, (on) =>
    planInputGradientAs(shape, on, on === target ? choice : undefined),
  );
}

function planInputGradientAs(
  shape: Conv2dShape,
  target: KernelTarget,
  choice: ForwardChoice | undefined,
): Plan {
  const padded = padChannels(shape);
  const lengths = conv2dLengths(padded);
  const padDy = padded.co !== shape.co;
  const padDx = padded.ci !== shape.ci;
  const wanted = choice ?? tunedInputGradient(shape, target);
  const choices = inputGradientPhases(padded, false).map(
    ({ convolution }) => wanted ?? chooseConv2dForward(convolution.shape, target),
  );
  // Software adapters read the kernel flipped in place, if its channels are multiples of 4 and it fits into a binding.
  // Else it is flipped into a copy first: a GPU's threads want their neighbours' weights beside their own.
  const direct =
    choices.every(({ variant }) => variant !== 'tiled' && variant !== 'subgroup-matrix') &&
    !padDy &&
    !padDx &&
    4 * lengths.kernel <= target.maxBindingBytes;
  const buffers = {
    x: padDy ? 'paddedDy' : 'dy',
    kernel: direct ? 'kernel' : 'flippedKernel',
    y: padDx ? 'paddedDx' : 'dx',
  };
  const dispatches: Dispatch[] = [];
  if (padDy) {
    const [source, result] = [
      { buffer: 'dy', channels: shape.co },
      { buffer: 'paddedDy', channels: padded.co },
    ];
    dispatches.push(...copyChannels(source, result, shape.n * shape.oh * shape.ow, noEpilogue, target));
  }
  const phases = inputGradientPhases(padded, !direct);
  for (const { taps, convolution } of phases) {
    if (!direct && taps.y.count * taps.x.count > 0) {
      const { offset, length } = convolution.kernel;
      const packed = { buffer: buffers.kernel, offset, length, rows: padded.co, columns: padded.ci };
      dispatches.push(...packKernel({ buffer: 'kernel', ...shape }, packed, taps, true, target));
    }
  }
  let variant = 'nothing';
  let partials = 0;
  for (const [i, { convolution }] of phases.entries()) {
    const chosen = choices[i];
    if (!chosen) continue;
    ({ variant } = chosen);
    const convolved = convolve(convolution, buffers, noEpilogue, chosen, target);
    dispatches.push(...convolved.dispatches);
    partials = Math.max(partials, convolved.partials);
  }
  if (padDx) {
    const [source, result] = [
      { buffer: 'paddedDx', channels: padded.ci },
      { buffer: 'dx', channels: shape.ci },
    ];
    dispatches.push(...copyChannels(source, result, shape.n * shape.h * shape.w, noEpilogue, target));
  }
  return {
    kernel: 'conv2d input gradient',
    problem: { kernel: 'conv2d input gradient', shape: { ...shape } },
    variant,
    // The forward kernels have a binding for a bias that is never read here.
    dispatches: dispatches.map((d) => withoutEpilogueBuffers(d, 'kernel')),
    temporaries: {
      ...(!direct && { flippedKernel: 4 * lengths.kernel }),
      ...(partials > 0 && { partials: 4 * partials }),
      ...(padDy && { paddedDy: 4 * lengths.y }),
      ...(padDx && { paddedDx: 4 * lengths.x }),
    },
    flops: conv2dFlops(shape),
    bytes: conv2dBytes(shape),
  };
}

/** What was measured for the whole input gradient, if anything was. */
function tunedInputGradient(shape: Conv2dShape, target: KernelTarget): ForwardChoice | undefined {
  return tunedChoice(target, 'conv2d input gradient', shape, () => inputGradientCandidates(shape, target));
}

/** The convolution that gives every strideH-th row and strideW-th column of dx, and the taps it uses. */
interface Phase {
  readonly taps: { readonly y: TapRange; readonly x: TapRange };
  readonly convolution: Convolution;
}

/**
 * The phases of the input gradient; the channels of `s` are padded. They read their taps where they lie in the layer's kernel,
 * or with `packed` in kernels of their own that follow one another in one buffer.
 */
function inputGradientPhases(s: Conv2dShape, packed: boolean): Phase[] {
  const phases: Phase[] = [];
  const { x: dxLength, kernel: kernelLength, y: dyLength } = conv2dLengths(s);
  let offset = 0;
  for (const rows of axisPhases(s.h, s.kh, s.strideH, s.dilationH, s.padTop)) {
    for (const columns of axisPhases(s.w, s.kw, s.strideW, s.dilationW, s.padLeft)) {
      const tapCount = rows.taps.count * columns.taps.count;
      const matrix = s.ci * s.co;
      const inPlace = {
        offset: tapCount === 0 ? 0 : (rows.taps.first * s.kw + columns.taps.first) * matrix,
        length: kernelLength,
        strideH: rows.taps.step * s.kw * matrix,
        strideW: columns.taps.step * matrix,
        strideRow: s.co,
        transposed: true,
      };
      const own = denseKernel(
        rows.taps.count,
        columns.taps.count,
        s.co,
        s.ci,
        tapCount === 0 ? 0 : offset,
        kernelLength,
      );
      phases.push({
        taps: { y: rows.taps, x: columns.taps },
        convolution: {
          shape: {
            n: s.n,
            h: s.oh,
            w: s.ow,
            ci: s.co,
            // A phase that no tap reaches is a convolution with no taps: zeros.
            kh: tapCount === 0 ? 0 : rows.taps.count,
            kw: tapCount === 0 ? 0 : columns.taps.count,
            co: s.ci,
            oh: rows.size,
            ow: columns.size,
            strideH: 1,
            strideW: 1,
            dilationH: rows.dilation,
            dilationW: columns.dilation,
            padTop: rows.before,
            padLeft: columns.before,
          },
          x: {
            strideN: s.oh * s.ow * s.co,
            strideH: s.ow * s.co,
            strideW: s.co,
            offset: 0,
            length: dyLength,
          },
          y: {
            strideN: s.h * s.w * s.ci,
            strideH: s.strideH * s.w * s.ci,
            strideW: s.strideW * s.ci,
            offset: (rows.first * s.w + columns.first) * s.ci,
            length: dxLength,
          },
          kernel: packed ? own : inPlace,
        },
      });
      offset += tapCount * s.ci * s.co;
    }
  }
  return phases;
}

/**
 * The phases of one axis of the input gradient.
 *
 * Input position `i` meets tap `k` at output `o` where `o * stride = i + before - k * dilation`. For the positions
 * `i = first + j * stride` of a phase these are the taps k with `k * dilation = first + before (mod stride)`: every
 * `step = stride / gcd`-th one from some k0 on, `k = k0 + t * step`, and `o = j + base - t * dilation / gcd` with
 * `base = (first + before - k0 * dilation) / stride`. Counting t downwards makes this the forward form
 * `o = j + t' * (dilation / gcd) - before'`.
 */
function axisPhases(size: number, k: number, stride: number, dilation: number, before: number) {
  const common = gcd(stride, dilation);
  const step = stride / common;
  const phases = [];
  for (let first = 0; first < Math.min(stride, size); first++) {
    let k0 = 0;
    while (k0 < Math.min(step, k) && (first + before - k0 * dilation) % stride !== 0) k0++;
    const reached = k0 < Math.min(step, k);
    const count = reached ? Math.ceil((k - k0) / step) : 0;
    const base = reached ? (first + before - k0 * dilation) / stride : 0;
    phases.push({
      first,
      size: Math.ceil((size - first) / stride),
      taps: { first: k0 + (count - 1) * step, step: -step, count },
      dilation: dilation / common,
      before: (count - 1) * (dilation / common) - base,
    });
  }
  return phases;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
