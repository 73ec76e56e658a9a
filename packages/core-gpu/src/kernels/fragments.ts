import { ConvbaseError } from '@convbase/base';
import type { KernelTarget, Plan } from '../commands/plan.ts';
import { untuned } from '../tuning/table.ts';

export type FragmentElement = 'f16' | 'f32';

/** Fragments that an adapter's subgroups multiply: left [m, k] times right [k, n], summed in float32. */
export interface FragmentShape {
  /** What the numbers of both factors are rounded to: float32 is exact, float16 keeps 11 bits. */
  readonly element: FragmentElement;
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
function tileKOf({ tileM }: FragmentTile, { element }: FragmentShape): number {
  return element === 'f32' || tileM > 64 ? 16 : 32;
}

/** The constants of shared/fragment-product.wgsl. */
export type FragmentConstants = { readonly Element: FragmentElement } & Readonly<
  Record<
    | 'FRAGMENT_M'
    | 'FRAGMENT_N'
    | 'FRAGMENT_K'
    | 'LANES'
    | 'SUBGROUPS_M'
    | 'SUBGROUPS_N'
    | 'FRAGMENTS_M'
    | 'FRAGMENTS_N'
    | 'TILE_K'
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
    SUBGROUPS_M: tile.tileM / tile.rows,
    SUBGROUPS_N: tile.tileN / tile.columns,
    FRAGMENTS_M: tile.rows / m,
    FRAGMENTS_N: tile.columns / n,
    TILE_K: tileKOf(tile, shape),
    PAD: PAD_BYTES / bytesOf(shape),
  };
}

const bytesOf = ({ element }: FragmentShape): number => (element === 'f16' ? 2 : 4);

/** The tiles of which a workgroup with these fragments has as many threads and as much memory as the target allows. */
export function fittingTiles(shape: FragmentShape, target: KernelTarget): FragmentTile[] {
  const lanes = target.subgroupSize;
  if (lanes === 0) return [];
  return fragmentTiles.filter((tile) => {
    const { SUBGROUPS_M, SUBGROUPS_N, FRAGMENTS_M, FRAGMENTS_N, TILE_K, PAD } = fragmentConstants(
      tile,
      shape,
      lanes,
    );
    const threads = SUBGROUPS_M * SUBGROUPS_N * lanes;
    const numbers = tile.tileM * (TILE_K + PAD) + TILE_K * (tile.tileN + PAD);
    const bytes = numbers * bytesOf(shape) + 4 * SUBGROUPS_M * SUBGROUPS_N * shape.m * shape.n;
    const fetched = [tile.tileM, tile.tileN].map((side) => (side * TILE_K) / 4 / threads);
    const whole = [FRAGMENTS_M, FRAGMENTS_N, TILE_K / shape.k, ...fetched].every(Number.isInteger);
    return whole && threads <= target.maxInvocations && bytes <= target.maxWorkgroupBytes;
  });
}

/** The largest fragments of a kind that the target's subgroups multiply and for which there is a tile; else undefined. */
export function fragmentsFor(target: KernelTarget, element: FragmentElement): FragmentShape | undefined {
  const size = ({ m, n, k }: FragmentShape): number => m * n * k;
  return (target.subgroupMatrices ?? [])
    .filter((shape) => shape.element === element && fittingTiles(shape, target).length > 0)
    .sort((a, b) => size(b) - size(a))[0];
}

/**
 * What fragments may be made of: float16 where operands are that already, since nothing is lost by it. Rounding float32
 * operands is not for a kernel to decide; they get cores that take float32, or none.
 */
export function fragmentElement({ float16Operands = false }: KernelTarget): FragmentElement {
  return float16Operands ? 'f16' : 'f32';
}

/** The tiles that a product may be computed in; none without subgroup matrices for its operands. */
export function usableTiles(target: KernelTarget): FragmentTile[] {
  const shape = fragmentsFor(target, fragmentElement(target));
  return shape ? fittingTiles(shape, target) : [];
}

/** Tiles that keep the cores of a GPU busy. */
const ENOUGH_TILES = 256;

/**
 * The first tile that is not much larger than a product of m x n and of which there are enough, else the smallest one, with
 * how many there are; undefined without subgroup matrices.
 */
export function chooseFragmentTile(
  { m, n, batch = 1 }: { readonly m: number; readonly n: number; readonly batch?: number },
  target: KernelTarget,
): (FragmentTile & { readonly tiles: number }) | undefined {
  const all = usableTiles(target).map((tile) => {
    return { ...tile, tiles: Math.ceil(m / tile.tileM) * Math.ceil(n / tile.tileN) * batch };
  });
  const useful = all.filter(({ tileM }) => tileM < 2 * m);
  return useful.find(({ tiles }) => tiles >= ENOUGH_TILES) ?? useful.at(-1) ?? all.at(-1);
}

/**
 * The constants for a tile, given by its size.
 *
 * @throws ConvbaseError `kernel/subgroup-matrix` where the target has no fragments for it
 */
export function fragmentTileConstants(
  { tileM, tileN, element }: Pick<FragmentTile, 'tileM' | 'tileN'> & { readonly element: FragmentElement },
  target: KernelTarget,
): FragmentConstants {
  const shape = fragmentsFor(target, element);
  const tile = shape && fittingTiles(shape, target).find((fit) => fit.tileM === tileM && fit.tileN === tileN);
  if (!tile) {
    throw new ConvbaseError('kernel/subgroup-matrix', `no subgroup matrices of ${element} for such a tile`, {
      where: `tile ${String(tileM)} x ${String(tileN)}`,
      fix: 'Choose among the candidates for this target.',
    });
  }
  return fragmentConstants(tile, shape, target.subgroupSize);
}

/** Whether products of float16 numbers run on tensor cores here. */
export function multipliesFloat16(target: KernelTarget): boolean {
  return fragmentsFor(target, 'f16') !== undefined;
}

/**
 * A plan, and beside it another one for buffers that hold float16 numbers if the target multiplies those on tensor cores.
 *
 * @param factors the buffers that have to
 * @param make plans for a target
 */
export function planWithFragments(
  factors: readonly string[],
  target: KernelTarget,
  make: (target: KernelTarget) => Plan,
): Plan {
  const plan = make(target);
  if (target.float16Operands || !multipliesFloat16(target)) return plan;
  // What was measured was measured on float32.
  return { ...plan, float16: { factors, plan: make({ ...untuned(target), float16Operands: true }) } };
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
