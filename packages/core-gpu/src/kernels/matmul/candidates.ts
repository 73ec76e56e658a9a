import type { KernelTarget } from '../../commands/plan.ts';
import { fragmentElement, usableTiles } from '../fragments.ts';
import {
  sharedMemoryTiles,
  outerProductTiles,
  subgroupTiles,
  type MatmulChoice,
  type MatmulShape,
} from './shape.ts';

/** Every kernel and tile that may be picked for a product on this target, each with several numbers of splits. */
export function matmulCandidates({ m, n, k, batch = 1 }: MatmulShape, target: KernelTarget): MatmulChoice[] {
  const tiles: Omit<MatmulChoice, 'splits'>[] = [
    { variant: 'naive', tileM: 8, tileN: 8, rows: 1 },
    { variant: 'register', tileM: 8, tileN: 32, rows: 8 },
    ...sharedMemoryTiles.map(([tileM, tileN]) => ({
      variant: 'tiled' as const,
      tileM,
      tileN,
      rows: tileM / 16,
    })),
    ...(target.subgroupSize === 8 && n % 4 === 0
      ? outerProductTiles.map(([tileM, tileN]) => ({
          variant: 'outer-product' as const,
          tileM,
          tileN,
          rows: tileM,
        }))
      : []),
    ...subgroupTiles
      .filter(([, tileN]) => (tileN === 32 ? target.subgroupSize === 8 : hasWideSubgroups(target)))
      .map(([rows, tileN]) => ({ variant: 'subgroup' as const, tileM: rows, tileN, rows })),
    ...usableTiles(target).map(({ tileM, tileN, rows }) => {
      return { variant: 'subgroup-matrix' as const, tileM, tileN, rows, element: fragmentElement(target) };
    }),
  ];
  const splits = [1, 2, 4, 8, 16, 32].filter(
    (count) => count === 1 || (k / count >= 128 && 4 * count * batch * m * n <= 64 * 1024 ** 2),
  );
  return tiles.flatMap((tile) =>
    splits
      .filter((count) => tile.variant !== 'naive' || count === 1)
      .map((count) => ({ ...tile, splits: count })),
  );
}

/** Whether lanes of a GPU may exchange numbers among 8 of them, whatever the size of a subgroup. */
function hasWideSubgroups({ kind, leastSubgroupSize = 0 }: KernelTarget): boolean {
  return kind !== 'software' && leastSubgroupSize >= 8;
}
