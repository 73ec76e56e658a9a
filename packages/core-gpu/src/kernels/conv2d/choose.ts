import type { KernelTarget } from '../../commands/plan.ts';
import { tunedChoice } from '../../tuning/table.ts';
import { chooseFragmentTile, fragmentElement, type FragmentElement } from '../fragments.ts';
import { filterGradientCandidates, forwardCandidates } from './candidates.ts';
import type { Conv2dShape } from './shape.ts';
import { chooseSubgroupTile } from './subgroup-tiles.ts';

/** A tile of subgroup-matrix-forward.wgsl, what it rounds x and the kernel to, and in how many parts the sum is cut. */
export interface FragmentForwardChoice {
  readonly variant: 'subgroup-matrix';
  readonly tileM: number;
  readonly tileN: number;
  readonly element: FragmentElement;
  readonly splits: number;
}

/** A kernel of the forward pass and its tile. */
export type ForwardChoice =
  /**
   * tiled-forward.wgsl: 16 * rows pixels x 64 * columns channels for each workgroup of 256, and in how many parts the sum
   * is cut.
   */
  | { readonly variant: 'tiled'; readonly rows: 4 | 8; readonly columns: 1 | 2; readonly splits: number }
  /** outer-product-forward.wgsl: `tileM` pixels x `tileN` channels for each subgroup of 8. */
  | { readonly variant: 'outer-product'; readonly tileM: number; readonly tileN: number }
  /** subgroup-matrix-forward.wgsl. */
  | FragmentForwardChoice
  /** subgroup-forward.wgsl: 8 * groups pixels x 32 channels for each subgroup of 8. */
  | { readonly variant: 'subgroup'; readonly groups: number }
  /** register-forward.wgsl: `pixels` pixels x 4 channels for each thread. */
  | { readonly variant: 'register'; readonly pixels: 4 | 8 };

/** Tiles that keep a GPU's cores busy; with fewer, smaller tiles win though they reuse less. */
const ENOUGH_TILES = 256;

/** A part of a split forward sum has at least this many steps of k: fewer are not worth a second pass. */
const LEAST_K_PER_SPLIT = 256;

/** More parts of a forward sum than this take longer to add than they save. */
const MOST_SPLITS = 16;

/** Tiles of a GPU's workgroup as (rows, columns) of a thread, those with the most reuse first. */
const SHARED_MEMORY_TILES = [
  [8, 2],
  [8, 1],
  [4, 1],
] as const;

/** The largest tile of which there are enough, for a result of `height` x `width`; else the smallest. */
function chooseSharedMemoryTile(height: number, width: number) {
  const tilesOf = ([rows, columns]: (typeof SHARED_MEMORY_TILES)[number]) =>
    Math.ceil(height / (16 * rows)) * Math.ceil(width / (64 * columns));
  // A tile that is wider than the result computes channels that nobody wants.
  const fitting = SHARED_MEMORY_TILES.filter(([, columns]) => columns === 1 || width > 64);
  const tile = fitting.find((candidate) => tilesOf(candidate) >= ENOUGH_TILES) ?? ([4, 1] as const);
  return { rows: tile[0], columns: tile[1], tiles: tilesOf(tile) };
}

/**
 * Picks the kernel of the forward pass (and of the input gradient, which is a forward pass over dy).
 *
 * GPUs share tiles through workgroup memory. Software adapters pay for every load instruction and for barriers, so
 * they get tiles in registers; images of few pixels get tiles of few pixels.
 */
export function chooseConv2dForward(shape: Conv2dShape, target: KernelTarget): ForwardChoice {
  const tuned = tunedChoice(target, 'conv2d forward', shape, () => forwardCandidates(shape, target));
  if (tuned) return tuned;
  const pixels = shape.n * shape.oh * shape.ow;
  const possible = Math.floor((shape.kh * shape.kw * shape.ci) / LEAST_K_PER_SPLIT);
  const splitsOf = (tiles: number): number =>
    Math.max(1, Math.min(Math.floor(ENOUGH_TILES / tiles), possible, MOST_SPLITS));
  const fragments = chooseFragmentTile({ m: pixels, n: shape.co }, target);
  if (fragments) {
    const { tileM, tileN, tiles } = fragments;
    const element = fragmentElement(target);
    return { variant: 'subgroup-matrix', tileM, tileN, element, splits: splitsOf(tiles) };
  }
  if (target.kind !== 'software') {
    const { rows, columns, tiles } = chooseSharedMemoryTile(pixels, shape.co);
    return { variant: 'tiled', rows, columns, splits: splitsOf(tiles) };
  }
  if (target.subgroupSize === 8) {
    return chooseSubgroupTile(pixels, shape.co).choice;
  }
  return { variant: 'register', pixels: pixels >= 8 ? 8 : 4 };
}

/** A kernel of the filter gradient, its tile, and in how many parts the sum over the pixels is cut. */
export type FilterGradientChoice =
  /** tiled-filter-gradient.wgsl: 16 * rows weights (kh, kw, ci) x 64 * columns channels for each workgroup of 256. */
  | { readonly variant: 'tiled'; readonly rows: 4 | 8; readonly columns: 1 | 2; readonly splits: number }
  /** subgroup-filter-gradient.wgsl: 32 weights x 32 * columns channels for each subgroup of 8. */
  | { readonly variant: 'subgroup'; readonly columns: 1 | 2; readonly splits: number }
  /** register-filter-gradient.wgsl: 8 weights x 32 channels for each workgroup of 8. */
  | { readonly variant: 'register'; readonly splits: number };

/** Rows (kh, kw, ci) and columns (co) of dkernel that one workgroup sums. */
export function filterGradientTile(choice: FilterGradientChoice): readonly [rows: number, columns: number] {
  if (choice.variant === 'tiled') return [16 * choice.rows, 64 * choice.columns];
  return choice.variant === 'subgroup' ? [32, 32 * choice.columns] : [8, 32];
}

/** Tiles that keep all threads of a software adapter busy. */
const ENOUGH_SOFTWARE_TILES = 16;

/** A part of a split sum has at least this many pixels: fewer are not worth a second pass. */
const LEAST_PIXELS = 128;

/**
 * Picks the kernel of the filter gradient. Few weights and many pixels (the first layers) make few tiles: then the
 * pixels are split among several workgroups, whose partial sums a second pass adds in a fixed order.
 */
export function chooseConv2dFilterGradient(shape: Conv2dShape, target: KernelTarget): FilterGradientChoice {
  const tuned = tunedChoice(target, 'conv2d filter gradient', shape, () =>
    filterGradientCandidates(shape, target),
  );
  if (tuned) return tuned;
  const weights = shape.kh * shape.kw * shape.ci;
  const possible = Math.ceil((shape.n * shape.oh * shape.ow) / LEAST_PIXELS);
  const splitsOf = (tiles: number, enough: number) =>
    Math.max(1, Math.min(Math.ceil(enough / tiles), possible));
  if (target.kind !== 'software') {
    const { rows, columns, tiles } = chooseSharedMemoryTile(weights, shape.co);
    return { variant: 'tiled', rows, columns, splits: splitsOf(tiles, ENOUGH_TILES) };
  }
  if (target.subgroupSize === 8) {
    // The wider tile loads x half as often, where it does not compute channels that nobody wants.
    const columns = Math.ceil(shape.co / 64) * 64 > 1.2 * Math.ceil(shape.co / 32) * 32 ? 1 : 2;
    const tiles = Math.ceil(weights / 32) * Math.ceil(shape.co / (32 * columns));
    return { variant: 'subgroup', columns, splits: splitsOf(tiles, ENOUGH_SOFTWARE_TILES) };
  }
  const tiles = Math.ceil(weights / 8) * Math.ceil(shape.co / 32);
  return { variant: 'register', splits: splitsOf(tiles, ENOUGH_SOFTWARE_TILES) };
}
