import type { KernelTarget } from '../../commands/plan.ts';
import { outerProductTile } from '../matmul/choose.ts';
import { outputSliceOf, type Conv2dEpilogue } from '../conv2d/epilogue.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import { gpuDirectCost, gpuWinogradCost } from './gpu-cost.ts';
import { chooseSubgroupTile } from '../conv2d/subgroup-tiles.ts';
import { axisOf1d, positions, winogradTiles } from './tiles.ts';

/** How a convolution with constant weights is computed. */
export interface WinogradChoice {
  /** Rows and columns of outputs that one tile has: F(output x output, 3x3), or F(output, 7) for filters in one dimension. */
  readonly output: 2 | 3 | 4;
  /**
   * The products: subgroup-product.wgsl, or a batch of products by `../matmul`, of rows ('matmul') or of columns ('outer-product':
   * the transformed input lies in the order of the channels, as ../matmul/outer-product.wgsl reads it).
   */
  readonly product: 'subgroup' | 'matmul' | 'outer-product';
  /** Tiles of one workgroup of the subgroup product, in eights. */
  readonly groups: 1 | 2 | 3 | 4;
}

/**
 * Time of one step of the subgroup product with 1 to 4 eights of tiles, on the scale of SUBGROUP_STEP. The loop of four
 * eights fills the instruction cache to the brim.
 */
const PRODUCT_STEP = { 1: 95, 2: 155, 3: 205, 4: 325 } as const;

/** Time of a step of the direct kernel with 32 rows. */
const DIRECT_STEP = 252;

/** Nanoseconds that a software adapter takes to load or store a number in the transforms, on the scale of SUBGROUP_STEP. */
const TRANSFORM_STEP = 1.5;

/** Nanoseconds of one instruction of `outerProductTile`, on the scale of SUBGROUP_STEP. */
const OUTER_PRODUCT_INSTRUCTION = 0.048;

/**
 * Picks the size of the tiles for a convolution whose weights do not change, or null where the direct kernels are
 * faster or the only ones that can do it (other taps, strides, channel counts that are no multiples of 4).
 */
export function chooseWinograd(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
): WinogradChoice | null {
  let best: { readonly choice: WinogradChoice | null; readonly cost: number } = {
    choice: null,
    cost: directCost(shape, target),
  };
  for (const choice of winogradCandidates(shape, epilogue, target)) {
    const cost = winogradCost(shape, choice, target);
    if (cost < best.cost) best = { choice, cost };
  }
  return best.choice;
}

/** Every way that may be picked on this target; none if Winograd cannot do this convolution. */
export function winogradCandidates(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
): WinogradChoice[] {
  if (!fits(shape, epilogue, target)) return [];
  const hasShuffles = target.kind === 'software' && target.subgroupSize === 8;
  if (axisOf1d(shape) !== null)
    return hasShuffles ? [{ output: 4, product: 'outer-product', groups: 4 }] : [];
  const outputs = [4, 3, 2] as const;
  if (hasShuffles) {
    return outputs.flatMap((output) => [
      { output, product: 'outer-product' as const, groups: 4 },
      ...([4, 3, 2, 1] as const).map((groups) => ({ output, product: 'subgroup' as const, groups })),
    ]);
  }
  return outputs.map((output) => ({ output, product: 'matmul', groups: 1 }));
}

/** Whether it is 3x3 taps or 7 in one dimension, with stride 1 and no holes, channels in multiples of 4, and everything fits into bindings. */
function fits(s: Conv2dShape, epilogue: Conv2dEpilogue, target: KernelTarget): boolean {
  const slice = outputSliceOf(s, epilogue);
  const isPlain = [s.kh, s.kw].every((taps) => taps === 3) || axisOf1d(s) !== null;
  const isDense = [s.strideH, s.strideW, s.dilationH, s.dilationW].every((step) => step === 1);
  const channelsAligned = [s.ci, s.co, slice.channels, slice.offset].every((channels) => channels % 4 === 0);
  // One image, one workgroup's tiles at all positions, the weights; alignment may cost a little of each.
  const most = (target.maxBindingBytes - target.offsetAlignment) / 4;
  const image = Math.max(s.h * s.w * s.ci, s.oh * s.ow * slice.channels);
  const factors = 36 * s.ci * Math.ceil(s.co / 32) * 32;
  const tiles = 36 * 32 * Math.max(s.ci, s.co);
  return isPlain && isDense && channelsAligned && Math.max(image, factors, tiles) <= most;
}

/** Costs are nanoseconds of llvmpipe; for other software adapters only their ratios mean something. */
function directCost(s: Conv2dShape, target: KernelTarget): number {
  if (target.kind !== 'software') return gpuDirectCost(s);
  const pixels = s.n * s.oh * s.ow;
  const steps = (s.kh * s.kw * s.ci) / 4;
  if (target.subgroupSize === 8) return steps * chooseSubgroupTile(pixels, s.co).cost;
  return steps * Math.ceil(s.co / 32) * Math.ceil(pixels / 32) * DIRECT_STEP;
}

function winogradCost(
  s: Conv2dShape,
  { output, product, groups }: WinogradChoice,
  target: KernelTarget,
): number {
  const tiles = winogradTiles(s, output).count;
  const count = positions(s, output);
  if (target.kind !== 'software') return gpuWinogradCost(s, count, tiles);
  const steps = (count * s.ci * Math.ceil(s.co / 32)) / 4;
  const moved = 2 * count * tiles * (s.ci + s.co);
  if (product === 'outer-product') {
    const rows = Math.ceil(tiles / 8) * 8;
    const instructions = count * outerProductTile({ m: rows, n: s.co, k: s.ci }).cost;
    return OUTER_PRODUCT_INSTRUCTION * instructions + TRANSFORM_STEP * moved;
  }
  // Rows of products by ../matmul cost what those of the direct kernel cost.
  const blocks =
    product === 'subgroup'
      ? Math.ceil(tiles / (8 * groups)) * PRODUCT_STEP[groups]
      : Math.ceil(tiles / 32) * DIRECT_STEP;
  return steps * blocks + TRANSFORM_STEP * moved;
}
