import type { KernelTarget } from '../../commands/plan.ts';
import { tunedChoice } from '../../tuning/table.ts';
import { filterGradientCandidates, forwardCandidates } from './candidates.ts';
import type { Conv2dShape } from './shape.ts';

/** A kernel of the forward pass and its tile. */
export type ForwardChoice =
  /** tile-forward.wgsl: 16 * rows pixels x 64 channels for each workgroup of 256. */
  | { readonly variant: 'tile'; readonly rows: 4 | 8 }
  /** subgroup-forward.wgsl: 8 * groups pixels x 32 channels for each subgroup of 8. */
  | { readonly variant: 'subgroup'; readonly groups: number }
  /** register-forward.wgsl: `pixels` pixels x 4 channels for each thread. */
  | { readonly variant: 'register'; readonly pixels: 4 | 8 };

/** Tiles that keep a GPU's cores busy; with fewer, smaller tiles win though they reuse less. */
const ENOUGH_TILES = 256;

/**
 * Time of one step of a subgroup tile of 1 to 4 groups of 8 pixels, in nanoseconds on llvmpipe (Zen 5). Only the
 * ratios matter. The four loads of the kernel are shared by all groups, so large tiles are cheaper for each pixel;
 * with more than four groups the loop's machine code outgrows the instruction cache.
 */
export const SUBGROUP_STEP: readonly (readonly [groups: number, cost: number])[] = [
  [4, 252],
  [3, 198],
  [2, 158],
  [1, 108],
];

/**
 * Picks the kernel of the forward pass (and of the input gradient, which is a forward pass over dy).
 *
 * GPUs share tiles through workgroup memory. Software adapters pay for every load instruction and for barriers, so
 * they get tiles in registers; pictures of few pixels get tiles of few pixels.
 */
export function chooseConv2dForward(shape: Conv2dShape, target: KernelTarget): ForwardChoice {
  const tuned = tunedChoice(target, 'conv2d forward', shape, () => forwardCandidates(target));
  if (tuned) return tuned;
  const pixels = shape.n * shape.oh * shape.ow;
  if (target.kind !== 'software') {
    const largeTiles = Math.ceil(pixels / 128) * Math.ceil(shape.co / 64);
    return { variant: 'tile', rows: largeTiles >= ENOUGH_TILES ? 8 : 4 };
  }
  if (target.subgroupSize === 8) {
    let best = { groups: 1, cost: Infinity };
    for (const [groups, step] of SUBGROUP_STEP) {
      const cost = Math.ceil(pixels / (8 * groups)) * step;
      if (cost < best.cost) best = { groups, cost };
    }
    return { variant: 'subgroup', groups: best.groups };
  }
  return { variant: 'register', pixels: pixels >= 8 ? 8 : 4 };
}

/** A kernel of the filter gradient, and in how many parts the sum over the pixels is cut. */
export interface FilterGradientChoice {
  readonly variant: 'tile' | 'subgroup' | 'register';
  readonly splits: number;
}

/** Rows (kh, kw, ci) and columns (co) of dkernel that one workgroup of each variant sums. */
export const filterGradientTile = {
  tile: [64, 64],
  subgroup: [32, 32],
  register: [8, 32],
} as const;

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
  const variant = target.kind !== 'software' ? 'tile' : target.subgroupSize === 8 ? 'subgroup' : 'register';
  const enough = variant === 'tile' ? ENOUGH_TILES : 16;
  const [rows, columns] = filterGradientTile[variant];
  const tiles = Math.ceil((shape.kh * shape.kw * shape.ci) / rows) * Math.ceil(shape.co / columns);
  const wanted = Math.ceil(enough / tiles);
  const possible = Math.ceil((shape.n * shape.oh * shape.ow) / LEAST_PIXELS);
  return { variant, splits: Math.max(1, Math.min(wanted, possible)) };
}
