import type { Dispatch, KernelTarget } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import { fragmentTileConstants } from '../fragments.ts';
import type { ForwardChoice } from './choose.ts';
import type { Conv2dEpilogue } from './epilogue.ts';
import type { Convolution } from './convolution.ts';
import { splitConvolution, type Subproblem } from './subproblems.ts';

const WORKGROUP = 64;

/** Names of the buffers of a convolution. */
export interface ConvolutionBuffers {
  readonly x: string;
  readonly kernel: string;
  readonly y: string;
}

/**
 * Dispatches of one convolution whose channels, strides and offsets are multiples of 4, and how many floats of buffer
 * `partials` they need.
 */
export function convolve(
  convolution: Convolution,
  buffers: ConvolutionBuffers,
  epilogue: Conv2dEpilogue,
  choice: ForwardChoice,
  target: KernelTarget,
): { dispatches: Dispatch[]; partials: number } {
  const { co } = convolution.shape;
  const dispatches: Dispatch[] = [];
  let partials = 0;
  for (const subproblem of splitConvolution(convolution, target)) {
    const { pixels } = subproblem.uniforms;
    const epilogueFlags = {
      HAS_BIAS: epilogue.bias && subproblem.lastOfSum,
      ADD_RESIDUAL: epilogue.residual === true && subproblem.lastOfSum,
      RELU: epilogue.relu && subproblem.lastOfSum,
      ACCUMULATE: !subproblem.firstOfSum,
    };
    const bindings = {
      x: subproblem.x(buffers.x),
      kernel: subproblem.kernel(buffers.kernel),
      bias: 'bias',
      residual: epilogueFlags.ADD_RESIDUAL ? subproblem.y('residual') : 'bias',
      y: subproblem.y(buffers.y),
    };
    if (choice.variant === 'tiled' || choice.variant === 'subgroup-matrix') {
      const tiled = tileDispatches(
        subproblem,
        tiledKernel(choice, target),
        choice.splits,
        epilogueFlags,
        bindings,
        target,
      );
      dispatches.push(...tiled.dispatches);
      partials = Math.max(partials, tiled.partials);
      continue;
    }
    const uniforms = { ...subproblem.uniforms, ...subproblem.kernelUniforms };
    const TRANSPOSED = convolution.kernel.transposed;
    if (choice.variant === 'outer-product') {
      const tiles = Math.ceil(pixels / choice.tileM) * Math.ceil(co / choice.tileN);
      dispatches.push({
        shader: 'conv2d/outer-product-forward',
        constants: { ROWS: choice.tileM, COLS: choice.tileN / 32, TRANSPOSED, ...epilogueFlags },
        uniforms,
        bindings: { ...bindings, kernel2: bindings.kernel },
        grid: grid1d(tiles, 1, target),
      });
    } else if (choice.variant === 'subgroup') {
      const tiles = Math.ceil(pixels / (8 * choice.groups)) * Math.ceil(co / 32);
      dispatches.push({
        shader: 'conv2d/subgroup-forward',
        constants: { GROUPS: choice.groups, TRANSPOSED, ...epilogueFlags },
        uniforms,
        bindings,
        grid: grid1d(tiles, 1, target),
      });
    } else {
      const threads = Math.ceil(pixels / choice.pixels) * (co / 4);
      dispatches.push({
        shader: 'conv2d/register-forward',
        constants: { WORKGROUP: 8, PIXELS: choice.pixels, TRANSPOSED, ...epilogueFlags },
        uniforms,
        bindings,
        grid: grid1d(threads, 8, target),
      });
    }
  }
  return { dispatches, partials };
}

/** Constants of the GPU kernels: `rows` x 4 `columns` sums a thread, and as many steps as 16 KiB hold twice. */
export function tiledConstants(rows: 4 | 8, columns: 1 | 2): { ROWS: number; COLS: number; TILE_K: number } {
  return { ROWS: rows, COLS: columns, TILE_K: rows * columns === 4 ? 16 : 8 };
}

/** A kernel for GPUs with the constants that say its tile, and that tile's pixels and channels. */
interface TiledKernel {
  readonly shader: 'conv2d/tiled-forward' | 'conv2d/subgroup-matrix-forward';
  readonly constants: Dispatch['constants'] & { readonly TILE_K: number };
  readonly pixels: number;
  readonly channels: number;
}

function tiledKernel(
  choice: Extract<ForwardChoice, { variant: 'tiled' | 'subgroup-matrix' }>,
  target: KernelTarget,
): TiledKernel {
  if (choice.variant === 'subgroup-matrix') {
    const constants = { ...fragmentTileConstants(choice, target) };
    const [pixels, channels] = [choice.tileM, choice.tileN];
    return { shader: 'conv2d/subgroup-matrix-forward', constants, pixels, channels };
  }
  const constants = tiledConstants(choice.rows, choice.columns);
  return {
    shader: 'conv2d/tiled-forward',
    constants,
    pixels: 16 * choice.rows,
    channels: 64 * choice.columns,
  };
}

/** One subproblem on a GPU, and how many floats of partial sums it needs. */
function tileDispatches(
  subproblem: Subproblem,
  kernel: TiledKernel,
  splitsWanted: number,
  epilogueFlags: Readonly<Record<'HAS_BIAS' | 'ADD_RESIDUAL' | 'RELU' | 'ACCUMULATE', boolean>>,
  bindings: Dispatch['bindings'] & { readonly y: Dispatch['bindings'][string] },
  target: KernelTarget,
): { dispatches: Dispatch[]; partials: number } {
  const { first, pixels, oh, ow, ci, co, kh, kw, yStrideN, yStrideH, yStrideW, yOffset } =
    subproblem.uniforms;
  const { shader, constants: tile } = kernel;
  const depth = kh * kw * ci;
  const floats = pixels * co;
  const room = Math.floor(target.maxBindingBytes / (4 * floats));
  const wanted = Math.max(1, Math.min(splitsWanted, room));
  const kPerSplit = Math.max(1, Math.ceil(depth / wanted / tile.TILE_K)) * tile.TILE_K;
  const splits = Math.max(1, Math.ceil(depth / kPerSplit));
  const tiles = Math.ceil(pixels / kernel.pixels) * Math.ceil(co / kernel.channels) * splits;
  const uniforms = { ...subproblem.uniforms, kPerSplit, splitStride: floats };
  const grid = grid1d(tiles, 1, target);
  if (splits === 1) {
    const constants = { ...tile, SPLIT: false, ...epilogueFlags };
    return {
      dispatches: [{ shader, constants, uniforms, bindings, grid }],
      partials: 0,
    };
  }
  const none = { HAS_BIAS: false, ADD_RESIDUAL: false, RELU: false, ACCUMULATE: false };
  const product: Dispatch = {
    shader,
    constants: { ...tile, SPLIT: true, ...none },
    uniforms,
    bindings: { ...bindings, residual: 'bias', y: 'partials' },
    grid,
  };
  const { bias = 'bias', residual = 'bias', y } = bindings;
  const combine: Dispatch = {
    shader: 'conv2d/combine-forward',
    constants: { WORKGROUP, ...epilogueFlags },
    uniforms: { first, pixels, splits, oh, ow, co, yStrideN, yStrideH, yStrideW, yOffset },
    bindings: { partials: 'partials', bias, residual, y },
    grid: grid1d(floats / 4, WORKGROUP, target),
  };
  return { dispatches: [product, combine], partials: splits * floats };
}
