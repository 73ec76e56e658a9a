import type { Binding, Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { conv2dBytes } from '../conv2d/forward.ts';
import { sliceOf, type Conv2dFusion } from '../conv2d/fusion.ts';
import { floatWindow } from '../conv2d/layout.ts';
import { checkConv2dShape, conv2dFlops, type Conv2dShape } from '../conv2d/shape.ts';
import { grid1d } from '../grid.ts';
import { largestTemporaries, planMatmul } from '../matmul/matmul.ts';
import type { WinogradChoice } from './choose.ts';
import { winogradSlabs, type Slab } from './slabs.ts';
import { lineOf, positions, winogradTiles, type WinogradKernel } from './tiles.ts';
import { checkExtents } from '../extents.ts';

/** Threads of a workgroup of the transforms: on software adapters those of one vector of the CPU. */
const workgroup = (target: KernelTarget): number => (target.kind === 'software' ? 8 : 64);

/** Floats of a transformed kernel. */
export function winogradFactors(kernel: WinogradKernel, choice: WinogradChoice): number {
  const { ci, co } = kernel;
  const columns = choice.product === 'subgroup' ? Math.ceil(co / 32) * 32 : co;
  return positions(kernel, choice.output) * ci * columns;
}

/**
 * The factors of a kernel of 3x3 taps or of a line of 7, to be computed once for each set of weights: `kernel [kh, kw, ci,
 * co]` to `factors` (`winogradFactors` floats). They hold for all convolutions whose choice has the same `output` and
 * `product`.
 */
export function planWinogradKernel(
  kernel: WinogradKernel,
  choice: WinogradChoice,
  target: KernelTarget,
): Plan {
  checkExtents('winograd kernel', { kh: kernel.kh, kw: kernel.kw, ci: kernel.ci, co: kernel.co });
  const { kh, kw, ci, co } = kernel;
  const floats = winogradFactors(kernel, choice);
  const plane = floats / positions(kernel, choice.output) / 4;
  const WORKGROUP = workgroup(target);
  const isLine = lineOf(kernel) !== null;
  return {
    kernel: 'winograd kernel',
    variant: nameOf(kernel, choice),
    dispatches: [
      {
        shader: isLine ? 'winograd/kernel-line' : `winograd/kernel-${choice.output}`,
        constants: { WORKGROUP },
        uniforms: isLine ? { plane } : { ci, co, plane, side: choice.product === 'subgroup' ? 8 : co / 4 },
        bindings: { kernel: 'kernel', transformed: 'factors' },
        grid: grid1d(plane, WORKGROUP, target),
      },
    ],
    temporaries: {},
    flops: 0,
    bytes: 4 * (kh * kw * ci * co + floats),
  };
}

/** F(4x4, 3x3), F(4, 7). */
function nameOf(kernel: WinogradKernel, { output }: WinogradChoice): string {
  return lineOf(kernel) === null ? `F(${output}x${output}, 3x3)` : `F(${output}, 7)`;
}

/**
 * y = conv(x, kernel), 3x3 or a line of 7 with stride 1, from the factors of its kernel, with bias, residual and relu fused if wanted.
 *
 * Buffers: `x [n, h, w, ci]`, `factors` (from `planWinogradKernel` with the same choice), `bias [co]` (null without),
 * `residual` like y (only with `add`), `y [n, oh, ow, co]`, or wider with `slice`. The tiles are worked off in slabs, so that what lies between the passes stays small.
 */
export function planWinograd(
  shape: Conv2dShape,
  fusion: Conv2dFusion,
  target: KernelTarget,
  choice: WinogradChoice,
): Plan {
  checkConv2dShape(shape);
  const { ci, co } = shape;
  const slabs = winogradSlabs(shape, fusion, choice, target);
  const widest = Math.max(...slabs.map(({ tiles }) => Math.ceil(tiles / 8) * 8));
  const parts = slabs.map((slab) => slabDispatches(slab, { shape, fusion, target, choice }));
  return {
    kernel: 'conv2d winograd',
    variant: `${nameOf(shape, choice)} ${choice.product}`,
    dispatches: parts.flatMap((part) => part.dispatches),
    temporaries: {
      transformed: 4 * positions(shape, choice.output) * widest * ci,
      products: 4 * positions(shape, choice.output) * widest * co,
      ...largestTemporaries(parts),
    },
    flops: conv2dFlops(shape),
    bytes: conv2dBytes(shape),
  };
}

interface Problem {
  readonly shape: Conv2dShape;
  readonly fusion: Conv2dFusion;
  readonly target: KernelTarget;
  readonly choice: WinogradChoice;
}

/** The three passes over some of the tiles. */
function slabDispatches(
  slab: Slab,
  { shape, fusion, target, choice }: Problem,
): Pick<Plan, 'dispatches' | 'temporaries'> {
  const { h, w, ci, oh, ow, co, top, left } = shape;
  const tiles = winogradTiles(shape, choice.output);
  const WORKGROUP = workgroup(target);
  const side = choice.product === 'matmul' ? 1 : 8;
  const rows = Math.ceil(slab.tiles / side) * side;
  const images = (buffer: string, image: number): { binding: Binding; skip: number } =>
    floatWindow(buffer, slab.image * image, slab.images * image, slab.images === shape.n, target);
  const slice = sliceOf(shape, fusion);
  const yImage = oh * ow * slice.channels;
  const [x, y] = [images('x', h * w * ci), images('y', yImage)];
  const residual = fusion.add ? images('residual', yImage).binding : 'bias';
  const line = lineOf(shape);
  const along = line === null ? {} : { down: line === 'column' ? 1 : 0, right: line === 'row' ? 1 : 0 };
  const common = { first: slab.first, tiles: slab.tiles, tilesX: tiles.x, tilesY: tiles.y, ...along };
  const place = { h, w, ci, top, left, xOffset: x.skip, plane: (rows * ci) / 4 };
  const input: Dispatch = {
    shader: inputShader(line !== null, choice),
    constants: { WORKGROUP },
    uniforms: { ...common, ...place, ...(line === null && { side }) },
    bindings: { x: x.binding, transformed: 'transformed' },
    grid: grid1d((rows * ci) / 4, WORKGROUP, target),
  };
  const output: Dispatch = {
    shader: line === null ? `winograd/output-${choice.output}` : 'winograd/output-line',
    constants: { WORKGROUP, HAS_BIAS: fusion.bias, ADD_RESIDUAL: fusion.add === true, RELU: fusion.relu },
    uniforms: {
      ...common,
      oh,
      ow,
      co,
      yPixel: slice.channels,
      yOffset: y.skip + slice.offset,
      plane: ((choice.product === 'outer' ? rows : slab.tiles) * co) / 4,
    },
    bindings: { products: 'products', bias: 'bias', residual, y: y.binding },
    grid: grid1d((slab.tiles * co) / 4, WORKGROUP, target),
  };
  const products = multiply(slab, shape, choice, target);
  return { dispatches: [input, ...products.dispatches, output], temporaries: products.temporaries };
}

function inputShader(isLine: boolean, { output, product }: WinogradChoice): Dispatch['shader'] {
  if (isLine) return 'winograd/input-line';
  return product === 'outer' ? `winograd/input-turned-${output}` : `winograd/input-${output}`;
}

/** For each position a product of a (tiles, ci) and a (ci, co) matrix. */
function multiply(
  { tiles }: Slab,
  shape: Conv2dShape,
  choice: WinogradChoice,
  target: KernelTarget,
): Pick<Plan, 'dispatches' | 'temporaries'> {
  const { ci, co } = shape;
  const batch = positions(shape, choice.output);
  if (choice.product === 'subgroup') {
    const blocks = Math.ceil(tiles / (8 * choice.groups)) * Math.ceil(co / 32) * batch;
    const dispatch: Dispatch = {
      shader: 'winograd/subgroup-product',
      constants: { GROUPS: choice.groups },
      uniforms: { tiles, ci, co, positions: batch, zero: 0 },
      bindings: { transformed: 'transformed', factors: 'factors', products: 'products' },
      grid: grid1d(blocks, 1, target),
    };
    return { dispatches: [dispatch], temporaries: {} };
  }
  const transposeA = choice.product === 'outer';
  const m = transposeA ? Math.ceil(tiles / 8) * 8 : tiles;
  const product = planMatmul({ m, n: co, k: ci, batch, transposeA }, { bias: false, relu: false }, target);
  const names: Readonly<Record<string, string>> = { a: 'transformed', b: 'factors', c: 'products' };
  const rename = (binding: Binding): Binding =>
    typeof binding === 'string'
      ? (names[binding] ?? binding)
      : { ...binding, buffer: names[binding.buffer] ?? binding.buffer };
  return {
    dispatches: product.dispatches.map((dispatch) => ({
      ...dispatch,
      bindings: Object.fromEntries(
        Object.entries(dispatch.bindings).map(([name, binding]) => [name, rename(binding)]),
      ),
    })),
    temporaries: product.temporaries,
  };
}
