import type { ForwardChoice } from './choose.ts';

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
 * Tiles of outer-product-forward.wgsl in pixels x channels, and the time of four channels of one, on the scale of SUBGROUP_STEP.
 */
export const OUTER_PRODUCT_STEP: readonly (readonly [tileM: number, tileN: number, cost: number])[] = [
  [32, 64, 427],
  [24, 64, 341],
  [64, 32, 480],
];

/** The tile that takes a subgroup of 8 the shortest time for a result of `pixels` x `co`, and that time for a step of 4. */
export function chooseSubgroupTile(pixels: number, co: number): { choice: ForwardChoice; cost: number } {
  const tiles = [
    ...OUTER_PRODUCT_STEP.map(([tileM, tileN, step]) => ({
      choice: { variant: 'outer-product', tileM, tileN } as const,
      cost: Math.ceil(pixels / tileM) * Math.ceil(co / tileN) * step,
    })),
    ...SUBGROUP_STEP.map(([groups, step]) => ({
      choice: { variant: 'subgroup', groups } as const,
      cost: Math.ceil(pixels / (8 * groups)) * Math.ceil(co / 32) * step,
    })),
  ];
  return tiles.reduce((best, tile) => (tile.cost < best.cost ? tile : best));
}
