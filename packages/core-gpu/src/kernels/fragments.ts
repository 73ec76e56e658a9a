import type { KernelTarget } from '../commands/plan.ts';

/** Fragments that an adapter's subgroups multiply: left [m, k] times right [k, n], summed in float32. */
export interface FragmentShape {
  /** What the numbers of both factors are rounded to: float32 is exact, float16 keeps 11 bits. */
  readonly element: 'f16' | 'f32';
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A tile of a product for a workgroup, and the part of it that one subgroup computes. */
export interface FragmentTile {
  readonly tileM: number;
  readonly tileN: number;
  /** Rows and columns of one subgroup. */
  readonly rows: number;
  readonly columns: number;
}

/** Tiles that shared/fragment-product.wgsl is compiled for, those with the most reuse first. */
export const fragmentTiles: readonly FragmentTile[] = [
  { tileM: 128, tileN: 64, rows: 64, columns: 32 },
  { tileM: 64, tileN: 64, rows: 32, columns: 32 },
  { tileM: 32, tileN: 64, rows: 32, columns: 16 },
];

/** Bytes of an unused end of each row in shared memory. */
const PAD_BYTES = 16;

/** Steps of k that a workgroup fetches at once: as many as 16 KiB of shared memory hold. */
function depthOf({ tileM }: FragmentTile, { element }: FragmentShape): number {
  return element === 'f32' || tileM > 64 ? 16 : 32;
}

/** The constants of shared/fragment-product.wgsl. */
export type FragmentConstants = { readonly Element: FragmentShape['element'] } & Readonly<
  Record<
    | 'FRAGMENT_M'
    | 'FRAGMENT_N'
    | 'FRAGMENT_K'
    | 'LANES'
    | 'DOWN'
    | 'ACROSS'
    | 'ROWS'
    | 'COLS'
    | 'DEPTH'
    | 'PAD',
    number
  >
>;

/** The constants for a tile and a subgroup of `lanes` threads. */
export function fragmentConstants(
  tile: FragmentTile,
  shape: FragmentShape,
  lanes: number,
): FragmentConstants {
  const { element, m, n, k } = shape;
  return {
    Element: element,
    FRAGMENT_M: m,
    FRAGMENT_N: n,
    FRAGMENT_K: k,
    LANES: lanes,
    DOWN: tile.tileM / tile.rows,
    ACROSS: tile.tileN / tile.columns,
    ROWS: tile.rows / m,
    COLS: tile.columns / n,
    DEPTH: depthOf(tile, shape),
    PAD: PAD_BYTES / bytesOf(shape),
  };
}

const bytesOf = ({ element }: FragmentShape): number => (element === 'f16' ? 2 : 4);

/** The tiles of which a workgroup with these fragments has as many threads and as much memory as the target allows. */
export function fittingTiles(shape: FragmentShape, target: KernelTarget): FragmentTile[] {
  const lanes = target.subgroupSize;
  if (lanes === 0) return [];
  return fragmentTiles.filter((tile) => {
    const { DOWN, ACROSS, ROWS, COLS, DEPTH, PAD } = fragmentConstants(tile, shape, lanes);
    const threads = DOWN * ACROSS * lanes;
    const numbers = tile.tileM * (DEPTH + PAD) + DEPTH * (tile.tileN + PAD);
    const bytes = numbers * bytesOf(shape) + 4 * DOWN * ACROSS * shape.m * shape.n;
    const fetched = [tile.tileM, tile.tileN].map((side) => (side * DEPTH) / 4 / threads);
    const whole = [ROWS, COLS, DEPTH / shape.k, ...fetched].every(Number.isInteger);
    return whole && threads <= target.maxInvocations && bytes <= target.maxWorkgroupBytes;
  });
}

/** The largest fragments of a kind that the target's subgroups multiply and for which there is a tile; else undefined. */
export function fragmentsFor(
  target: KernelTarget,
  element: FragmentShape['element'],
): FragmentShape | undefined {
  const size = ({ m, n, k }: FragmentShape): number => m * n * k;
  return (target.subgroupMatrices ?? [])
    .filter((shape) => shape.element === element && fittingTiles(shape, target).length > 0)
    .sort((a, b) => size(b) - size(a))[0];
}

/** Fragments of real adapters, for tests and to compile every variant: NVIDIA's and AMD's, Intel's, and Apple's. */
export const knownFragments: readonly FragmentShape[] = [
  { element: 'f16', m: 16, n: 16, k: 16 },
  { element: 'f16', m: 8, n: 16, k: 16 },
  { element: 'f32', m: 8, n: 8, k: 8 },
];

/** The constants of every tile with the fragments of real adapters, of which all have subgroups of 32. */
export function fragmentVariants(): FragmentConstants[] {
  return knownFragments.flatMap((shape) => fragmentTiles.map((tile) => fragmentConstants(tile, shape, 32)));
}
