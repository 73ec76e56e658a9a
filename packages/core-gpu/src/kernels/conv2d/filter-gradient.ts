import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import { chooseConv2dFilterGradient, filterGradientTile, type FilterGradientChoice } from './choose.ts';
import { tiledConstants } from './convolve.ts';
import { conv2dBytes } from './forward.ts';
import { noEpilogue, withoutEpilogueBuffers } from './epilogue.ts';
import { packKernel } from './pack-kernel.ts';
import { copyChannels, padChannels } from './pad-channels.ts';
import { denseConvolution } from './convolution.ts';
import { splitConvolution, type Subproblem } from './subproblems.ts';
import { checkConv2dShape, conv2dFlops, conv2dLengths, type Conv2dShape } from './shape.ts';

const WORKGROUP = 64;

/**
 * dkernel from x and dy. Buffers: `x [n, h, w, ci]`, `dy [n, oh, ow, co]`, `dkernel [kh, kw, ci, co]`.
 *
 * The sum over all pixels is cut where there are too few weights to keep the adapter busy: each part is summed into
 * `partials`, and a second pass adds these in a fixed order.
 */
export function planConv2dFilterGradient(
  shape: Conv2dShape,
  target: KernelTarget,
  choice: FilterGradientChoice = chooseConv2dFilterGradient(shape, target),
): Plan {
  checkConv2dShape(shape);
  const padded = padChannels(shape);
  const lengths = conv2dLengths(padded);
  const padX = padded.ci !== shape.ci;
  const padDy = padded.co !== shape.co;
  const padKernel = padX || padDy;
  const dispatches: Dispatch[] = [];
  if (padX) {
    const [source, result] = [
      { buffer: 'x', channels: shape.ci },
      { buffer: 'paddedX', channels: padded.ci },
    ];
    dispatches.push(...copyChannels(source, result, shape.n * shape.h * shape.w, noEpilogue, target));
  }
  if (padDy) {
    const [source, result] = [
      { buffer: 'dy', channels: shape.co },
      { buffer: 'paddedDy', channels: padded.co },
    ];
    dispatches.push(...copyChannels(source, result, shape.n * shape.oh * shape.ow, noEpilogue, target));
  }
  let partials = 0;
  for (const subproblem of splitConvolution(denseConvolution(padded), target)) {
    const buffers = {
      x: padX ? 'paddedX' : 'x',
      dy: padDy ? 'paddedDy' : 'dy',
      dkernel: padKernel ? 'paddedDkernel' : 'dkernel',
    };
    const split = subproblemDispatches(subproblem, padded.co, buffers, choice, target);
    dispatches.push(...split.dispatches);
    partials = Math.max(partials, split.partials);
  }
  if (padKernel) {
    const packed = {
      buffer: 'dkernel',
      offset: 0,
      length: conv2dLengths(shape).kernel,
      rows: shape.ci,
      columns: shape.co,
    };
    const taps = {
      y: { first: 0, step: 1, count: shape.kh },
      x: { first: 0, step: 1, count: shape.kw },
    };
    dispatches.push(...packKernel({ buffer: 'paddedDkernel', ...padded }, packed, taps, false, target));
  }
  return {
    kernel: 'conv2d filter gradient',
    problem: { kernel: 'conv2d filter gradient', shape: { ...shape } },
    variant: choice.variant,
    // Copies have a binding for a bias that is not read here.
    dispatches: dispatches.map((d) => withoutEpilogueBuffers(d, 'x')),
    temporaries: {
      ...(padX && { paddedX: 4 * lengths.x }),
      ...(padDy && { paddedDy: 4 * lengths.y }),
      ...(padKernel && { paddedDkernel: 4 * lengths.kernel }),
      ...(partials > 0 && { partials: 4 * partials }),
    },
    flops: conv2dFlops(shape),
    bytes: conv2dBytes(shape),
  };
}

/** The dispatches of one subproblem, and how many floats of partial sums they need. */
function subproblemDispatches(
  subproblem: Subproblem,
  co: number,
  buffers: { readonly x: string; readonly dy: string; readonly dkernel: string },
  choice: FilterGradientChoice,
  target: KernelTarget,
): { dispatches: Dispatch[]; partials: number } {
  const { pixels, kh, kw, ci, kernelOffset } = subproblem.uniforms;
  const rows = kh * kw * ci;
  const count = rows * co;
  const room = Math.floor(target.maxBindingBytes / (4 * count));
  const wanted = Math.max(1, Math.min(choice.splits, room, pixels));
  const pixelsPerSplit = Math.ceil(pixels / wanted);
  const splits = Math.ceil(pixels / pixelsPerSplit);
  const accumulate = !subproblem.firstPixels;
  const [tileRows, tileColumns] = filterGradientTile(choice);
  const tiles = Math.ceil(rows / tileRows) * Math.ceil(co / tileColumns) * splits;
  const product: Dispatch = {
    shader: `conv2d/${choice.variant}-filter-gradient`,
    constants: { ...tileConstants(choice), ACCUMULATE: splits === 1 && accumulate },
    uniforms: {
      ...subproblem.uniforms,
      pixelsPerSplit,
      splitStride: count,
      kernelOffset: splits === 1 ? kernelOffset : 0,
    },
    bindings: {
      x: subproblem.x(buffers.x),
      dy: subproblem.y(buffers.dy),
      dkernel: splits === 1 ? subproblem.kernel(buffers.dkernel) : 'partials',
    },
    grid: grid1d(tiles, 1, target),
  };
  if (splits === 1) return { dispatches: [product], partials: 0 };
  const sum: Dispatch = {
    shader: 'conv2d/sum-partials',
    constants: { WORKGROUP, ACCUMULATE: accumulate },
    uniforms: { count, splits, kernelOffset },
    bindings: { partials: 'partials', dkernel: subproblem.kernel(buffers.dkernel) },
    grid: grid1d(count, WORKGROUP, target),
  };
  return { dispatches: [product, sum], partials: splits * count };
}

/** The constants that say how large a kernel's tile is. */
function tileConstants(choice: FilterGradientChoice): Record<string, number> {
  if (choice.variant === 'tiled') return tiledConstants(choice.rows, choice.columns);
  return choice.variant === 'subgroup' ? { COLS: choice.columns } : {};
}
