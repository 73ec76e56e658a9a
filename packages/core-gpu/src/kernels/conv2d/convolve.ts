import type { Dispatch, KernelTarget } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import { fragmentTileConstants } from '../fragments.ts';
import type { ForwardChoice } from './choose.ts';
import type { Conv2dFusion } from './fusion.ts';
import { convolutionPieces, type Convolution, type Piece } from './pieces.ts';

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
  fusion: Conv2dFusion,
  choice: ForwardChoice,
  target: KernelTarget,
): { dispatches: Dispatch[]; partials: number } {
  const { co } = convolution.shape;
  const dispatches: Dispatch[] = [];
  let partials = 0;
  for (const piece of convolutionPieces(convolution, target)) {
    const { pixels } = piece.uniforms;
    const ending = {
      HAS_BIAS: fusion.bias && piece.lastOfSum,
      ADD_RESIDUAL: fusion.add === true && piece.lastOfSum,
      RELU: fusion.relu && piece.lastOfSum,
      ACCUMULATE: !piece.firstOfSum,
    };
    const bindings = {
      x: piece.x(buffers.x),
      kernel: piece.kernel(buffers.kernel),
      bias: 'bias',
      residual: ending.ADD_RESIDUAL ? piece.y('residual') : 'bias',
      y: piece.y(buffers.y),
    };
    if (choice.variant === 'tile' || choice.variant === 'subgroup-matrix') {
      const tiled = tileDispatches(
        piece,
        tiledKernel(choice, target),
        choice.splits,
        ending,
        bindings,
        target,
      );
      dispatches.push(...tiled.dispatches);
      partials = Math.max(partials, tiled.partials);
      continue;
    }
    const uniforms = { ...piece.uniforms, ...piece.kernelUniforms };
    const TRANSPOSED = convolution.kernel.transposed;
    if (choice.variant === 'outer') {
      const tiles = Math.ceil(pixels / choice.tileM) * Math.ceil(co / choice.tileN);
      dispatches.push({
        shader: 'conv2d/outer-forward',
        constants: { ROWS: choice.tileM, COLS: choice.tileN / 32, TRANSPOSED, ...ending },
        uniforms,
        bindings: { ...bindings, kernel2: bindings.kernel },
        grid: grid1d(tiles, 1, target),
      });
    } else if (choice.variant === 'subgroup') {
      const tiles = Math.ceil(pixels / (8 * choice.groups)) * Math.ceil(co / 32);
      dispatches.push({
        shader: 'conv2d/subgroup-forward',
        constants: { GROUPS: choice.groups, TRANSPOSED, ...ending },
        uniforms,
        bindings,
        grid: grid1d(tiles, 1, target),
      });
    } else {
      const threads = Math.ceil(pixels / choice.pixels) * (co / 4);
      dispatches.push({
        shader: 'conv2d/register-forward',
        constants: { WORKGROUP: 8, PIXELS: choice.pixels, TRANSPOSED, ...ending },
        uniforms,
        bindings,
        grid: grid1d(threads, 8, target),
      });
    }
  }
  return { dispatches, partials };
}

/** Constants of the GPU kernels: `rows` x 4 `columns` sums a thread, and as many steps as 16 KiB hold twice. */
export function gpuTileConstants(rows: 4 | 8, columns: 1 | 2): { ROWS: number; COLS: number; DEPTH: number } {
  return { ROWS: rows, COLS: columns, DEPTH: rows * columns === 4 ? 16 : 8 };
}

/** A kernel for GPUs with the constants that say its tile, and that tile's pixels and channels. */
interface TiledKernel {
  readonly shader: 'conv2d/tile-forward' | 'conv2d/subgroup-matrix-forward';
  readonly constants: Dispatch['constants'] & { readonly DEPTH: number };
  readonly pixels: number;
  readonly channels: number;
}

function tiledKernel(
  choice: Extract<ForwardChoice, { variant: 'tile' | 'subgroup-matrix' }>,
  target: KernelTarget,
): TiledKernel {
  if (choice.variant === 'subgroup-matrix') {
    const constants = { ...fragmentTileConstants(choice, target) };
    const [pixels, channels] = [choice.tileM, choice.tileN];
    return { shader: 'conv2d/subgroup-matrix-forward', constants, pixels, channels };
  }
  const constants = gpuTileConstants(choice.rows, choice.columns);
  return {
    shader: 'conv2d/tile-forward',
    constants,
    pixels: 16 * choice.rows,
    channels: 64 * choice.columns,
  };
}

/** One piece on a GPU, and how many floats of partial sums it needs. */
function tileDispatches(
  piece: Piece,
  kernel: TiledKernel,
  most: number,
  ending: Readonly<Record<'HAS_BIAS' | 'ADD_RESIDUAL' | 'RELU' | 'ACCUMULATE', boolean>>,
  bindings: Dispatch['bindings'] & { readonly y: Dispatch['bindings'][string] },
  target: KernelTarget,
): { dispatches: Dispatch[]; partials: number } {
  const { first, pixels, oh, ow, ci, co, kh, kw, yImage, yRow, yPixel, yOffset } = piece.uniforms;
  const { shader, constants: tile } = kernel;
  const depth = kh * kw * ci;
  const floats = pixels * co;
  const room = Math.floor(target.maxBindingBytes / (4 * floats));
  const wanted = Math.max(1, Math.min(most, room));
  const splitDepth = Math.max(1, Math.ceil(depth / wanted / tile.DEPTH)) * tile.DEPTH;
  const splits = Math.max(1, Math.ceil(depth / splitDepth));
  const tiles = Math.ceil(pixels / kernel.pixels) * Math.ceil(co / kernel.channels) * splits;
  const uniforms = { ...piece.uniforms, splitDepth, splitFloats: floats };
  const grid = grid1d(tiles, 1, target);
  if (splits === 1) {
    const constants = { ...tile, SPLIT: false, ...ending };
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
    constants: { WORKGROUP, ...ending },
    uniforms: { first, pixels, splits, oh, ow, co, yImage, yRow, yPixel, yOffset },
    bindings: { partials: 'partials', bias, residual, y },
    grid: grid1d(floats / 4, WORKGROUP, target),
  };
  return { dispatches: [product, combine], partials: splits * floats };
}
