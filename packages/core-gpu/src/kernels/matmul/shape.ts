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

export type MatmulVariant = 'naive' | 'tiled' | 'outer-product' | 'subgroup' | 'register' | 'subgroup-matrix';

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
  /** What subgroup-matrix.wgsl rounds operands to; with the others absent. */
  readonly element?: 'f16' | 'f32';
}

/** Tiles that outer-product.wgsl is compiled for. Each takes a software adapter a second, so there are not many. */
export const outerProductTiles = [
  [32, 64],
  [24, 64],
  [16, 64],
  [8, 64],
  [64, 32],
  [40, 32],
  [32, 32],
] as const;

/** Tiles of tiled.wgsl, whose threads compute a sixteenth of the rows each: 1, 2, 4 or 8. */
export const sharedMemoryTiles = [
  [16, 64],
  [32, 64],
  [64, 64],
  [128, 64],
  [128, 128],
] as const;

/** Tiles of subgroup.wgsl, four columns for each lane: subgroups of 8 on software adapters, wider ones on GPUs. */
export const subgroupTiles = [
  [8, 32],
  [16, 32],
  [8, 128],
  [16, 128],
  [16, 256],
] as const;
