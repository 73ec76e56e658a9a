import type { KernelTarget } from '../../commands/plan.ts';
import { tunedChoice } from '../../tuning/table.ts';
import { chooseFragmentTile, fragmentElement, usableTiles } from '../fragments.ts';
import { matmulCandidates } from './candidates.ts';
import { outerProductTiles, type MatmulChoice, type MatmulShape, type MatmulVariant } from './shape.ts';

export type { MatmulChoice, MatmulShape } from './shape.ts';

/** A split sums at least this many terms; shorter ones cost more to combine than they gain. */
const LEAST_K_PER_SPLIT = 256;

/** Splits write a matrix each; all of them together stay below this many bytes. */
const MOST_PARTIAL_BYTES = 64 * 1024 ** 2;

/** Tiles that keep the cores of a GPU busy; with fewer, smaller tiles win though they reuse less. */
const ENOUGH_TILES = 256;

/** Chooses a kernel by plain numbers; no GPU is asked. */
export function chooseMatmul(shape: MatmulShape, target: KernelTarget): MatmulChoice {
  const tuned = tunedChoice(target, 'matmul', shape, () => matmulCandidates(shape, target));
  if (tuned) return tuned;
  const { m, n, k } = shape;
  const variant = chooseVariant(shape, target);
  if (variant === 'naive') return { variant, tileM: 8, tileN: 8, rows: 1, splits: 1 };
  const tile = chooseTile(variant, shape, target);
  const { tileM, tileN } = tile;
  const batch = shape.batch ?? 1;
  const tiles = Math.ceil(m / tileM) * Math.ceil(n / tileN) * batch;
  // Enough workgroups for every compute unit of a large GPU, or every core of a large CPU, to have a few.
  const wanted = Math.ceil((target.kind === 'software' ? 64 : 512) / tiles);
  const useful = Math.floor(k / LEAST_K_PER_SPLIT);
  const affordable = Math.floor(MOST_PARTIAL_BYTES / (4 * batch * m * n));
  const splits = Math.max(1, Math.min(wanted, useful, affordable));
  return { variant, ...tile, splits };
}

function chooseVariant(shape: MatmulShape, target: KernelTarget): MatmulVariant {
  const { m, n, k, batch = 1 } = shape;
  // Tiles for one or two columns would be mostly empty.
  if (n <= 2) return 'naive';
  // Small products gain less from tiles than compiling them costs: seconds on a software adapter.
  if (m * n * k * batch <= (target.kind === 'software' ? 2 ** 18 : 2 ** 12)) return 'naive';
  if (usableTiles(target).length > 0) return 'subgroup-matrix';
  if (target.kind !== 'software') return 'tiled';
  if (target.subgroupSize !== 8) return 'register';
  return n % 4 === 0 && outerProductPays(shape) ? 'outer-product' : 'subgroup';
}

/** Instructions of llvmpipe for each number that is packed into panels. */
const PACK = 25;

/**
 * Whether outer-product.wgsl is faster than subgroup.wgsl although operands that do not lie in the order of k are packed for
 * it: not where few rows use a large b only once. A step of four of a tile of 16 x 32 costs subgroup.wgsl 3100.
 */
function outerProductPays(shape: MatmulShape): boolean {
  const { m, n, k, transposeA = false, transposeB = false } = shape;
  const packed = (transposeA ? 0 : m * k) + (transposeB ? k * n : 0);
  const steps = Math.ceil(m / 16) * Math.ceil(n / 32) * Math.ceil(k / 4);
  return outerProductTile(shape).cost + PACK * packed < 3100 * steps;
}

type Tile = Pick<MatmulChoice, 'tileM' | 'tileN' | 'rows' | 'element'>;

/**
 * The tile that takes outer-product.wgsl the shortest time, counted in instructions of llvmpipe: a load of a vec4f is 290 of
 * them, adding two products to a vec4f of sums 30, storing it 250.
 */
export function outerProductTile({ m, n, k }: MatmulShape): Tile & { readonly cost: number } {
  let best = { tileM: 8, tileN: 64, rows: 8, cost: Infinity };
  for (const [tileM, tileN] of outerProductTiles) {
    const loads = 2 * (Math.ceil(tileM / 32) + tileN / 32);
    const sums = (tileM * tileN) / 32;
    const tile = Math.ceil(k / 2) * (290 * loads + 30 * sums) + 250 * sums;
    const cost = Math.ceil(m / tileM) * Math.ceil(n / tileN) * tile;
    if (cost < best.cost) best = { tileM, tileN, rows: tileM, cost };
  }
  return best;
}

function chooseTile(variant: MatmulVariant, shape: MatmulShape, target: KernelTarget): Tile {
  if (variant === 'tiled') return chooseSharedMemoryTile(shape);
  const fragments = variant === 'subgroup-matrix' ? chooseFragmentTile(shape, target) : undefined;
  if (fragments) {
    const { tileM, tileN, rows } = fragments;
    return { tileM, tileN, rows, element: fragmentElement(target) };
  }
  if (variant === 'outer-product') {
    const { tileM, tileN, rows } = outerProductTile(shape);
    return { tileM, tileN, rows };
  }
  // 16 rows reuse b twice as often; 8 waste fewer rows at the lower edge.
  const { m } = shape;
  const few = variant === 'register' || Math.ceil(m / 16) * 16 > Math.ceil(m / 8) * 8 * 1.2;
  const rows = few ? 8 : 16;
  return { tileM: rows, tileN: 32, rows };
}

/** The largest tile that few rows do not leave half empty, and of which there are enough to keep a GPU busy. */
function chooseSharedMemoryTile({ m, n, batch = 1 }: MatmulShape): Tile {
  const tile = (tileM: number, tileN: number): Tile => ({ tileM, tileN, rows: tileM / 16 });
  if (m <= 16) return tile(16, 64);
  if (m <= 32) return tile(32, 64);
  const enough = (tileM: number, tileN: number): boolean =>
    Math.ceil(m / tileM) * Math.ceil(n / tileN) * batch >= ENOUGH_TILES;
  if (n > 64 && enough(128, 128)) return tile(128, 128);
  return enough(128, 64) ? tile(128, 64) : tile(64, 64);
}
