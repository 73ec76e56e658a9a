import type { KernelTarget } from '../../commands/plan.ts';
import { tunedChoice } from '../../tuning/table.ts';
import { matmulCandidates } from './candidates.ts';

/** A batch of products c = op(a) op(b): op(a) is [m, k], op(b) is [k, n], c is [m, n]. */
export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Number of products; each operand is then a batch of matrices. Default 1. */
  readonly batch?: number;
  /** a is stored as [k, m]. */
  readonly transposeA?: boolean;
  /** b is stored as [n, k]. */
  readonly transposeB?: boolean;
}

export type MatmulVariant = 'naive' | 'gpu' | 'subgroup' | 'register';

/** The kernel for a product and how it is cut up. */
export interface MatmulChoice {
  readonly variant: MatmulVariant;
  /** Rows and columns of c that one workgroup computes. */
  readonly tileM: number;
  readonly tileN: number;
  /** Rows of c that one thread computes: the shader's constant ROWS. */
  readonly rows: number;
  /** Into how many parts the sum over k is split, each with workgroups of its own. */
  readonly splits: number;
}

/** A split sums at least this many terms; shorter ones cost more to combine than they gain. */
const LEAST_K_PER_SPLIT = 256;

/** Splits write a matrix each; all of them together stay below this many bytes. */
const MOST_PARTIAL_BYTES = 64 * 1024 ** 2;

/** Chooses a kernel by plain numbers; no GPU is asked. */
export function chooseMatmul(shape: MatmulShape, target: KernelTarget): MatmulChoice {
  const tuned = tunedChoice(target, 'matmul', shape, () => matmulCandidates(shape, target));
  if (tuned) return tuned;
  const { m, n, k } = shape;
  const variant = chooseVariant(shape, target);
  if (variant === 'naive') return { variant, tileM: 8, tileN: 8, rows: 1, splits: 1 };
  const rows = chooseRows(variant, shape);
  const tileM = variant === 'gpu' ? 16 * rows : rows;
  const tileN = variant === 'gpu' ? 64 : 32;
  const batch = shape.batch ?? 1;
  const tiles = Math.ceil(m / tileM) * Math.ceil(n / tileN) * batch;
  // Enough workgroups for every compute unit of a large GPU, or every core of a large CPU, to have a few.
  const wanted = Math.ceil((target.kind === 'software' ? 64 : 512) / tiles);
  const useful = Math.floor(k / LEAST_K_PER_SPLIT);
  const affordable = Math.floor(MOST_PARTIAL_BYTES / (4 * batch * m * n));
  const splits = Math.max(1, Math.min(wanted, useful, affordable));
  return { variant, tileM, tileN, rows, splits };
}

function chooseVariant({ m, n, k }: MatmulShape, target: KernelTarget): MatmulVariant {
  // Tiles for one or two columns would be mostly empty.
  if (n <= 2) return 'naive';
  // Small products gain less from tiles than compiling them costs: seconds on a software adapter.
  if (m * n * k <= (target.kind === 'software' ? 2 ** 18 : 2 ** 12)) return 'naive';
  if (target.kind !== 'software') return 'gpu';
  return target.subgroupSize === 8 ? 'subgroup' : 'register';
}

function chooseRows(variant: MatmulVariant, { m, n, batch = 1 }: MatmulShape): number {
  if (variant === 'register') return 8;
  if (variant === 'subgroup') {
    // 16 rows reuse b twice as often; 8 waste fewer rows at the lower edge.
    return Math.ceil(m / 16) * 16 > Math.ceil(m / 8) * 8 * 1.2 ? 8 : 16;
  }
  if (m <= 16) return 1;
  if (m <= 32) return 2;
  return Math.ceil(m / 128) * Math.ceil(n / 64) * batch >= 512 ? 8 : 4;
}
