import type { Binding, Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import { conv2dBytes } from '../conv2d/forward.ts';
import { outputSliceOf, type Conv2dEpilogue } from '../conv2d/epilogue.ts';
import { floatSlice } from '../binding-slices.ts';
import { checkConv2dShape, conv2dFlops, type Conv2dShape } from '../conv2d/shape.ts';
import { sharedTemporaries, planMatmul } from '../matmul/matmul.ts';
import type { WinogradChoice } from './choose.ts';
import { winogradChunks, type TileChunk } from './chunks.ts';
import { axisOf1d, positions, winogradTiles, type WinogradKernel } from './tiles.ts';
import { checkExtents } from '../check-extents.ts';

/** Threads of a workgroup of the transforms: on software adapters those of one vector of the CPU. */
const workgroup = (target: KernelTarget): number => (target.kind === 'software' ? 8 : 64);

/** Floats of a transformed kernel. */
export function transformedKernelLength(kernel: WinogradKernel, choice: WinogradChoice): number {
  const { ci, co } = kernel;
  const columns = choice.product === 'subgroup' ? Math.ceil(co / 32) * 32 : co;
  return positions(kernel, choice.output) * ci * columns;
}

/**
 * The transform of a kernel of 3x3 taps or of 7 in one dimension, to be computed once for each set of weights: `kernel [kh, kw, ci,
 * co]` to `transformedKernel` (`transformedKernelLength` floats). It holds for all convolutions whose choice has the same `output` and
 * `product`.
 */
export function planWinogradKernel(
  kernel: WinogradKernel,
  choice: WinogradChoice,
  target: KernelTarget,
): Plan {
  checkExtents('winograd kernel', { kh: kernel.kh, kw: kernel.kw, ci: kernel.ci, co: kernel.co });
  const { kh, kw, ci, co } = kernel;
  const floats = transformedKernelLength(kernel, choice);
  const positionStride = floats / positions(kernel, choice.output) / 4;
  const WORKGROUP = workgroup(target);
  const is1d = axisOf1d(kernel) !== null;
  return {
    kernel: 'winograd kernel',
    variant: nameOf(kernel, choice),
    dispatches: [
      {
        shader: is1d ? 'winograd/kernel-1d' : `winograd/kernel-${choice.output}`,
        constants: { WORKGROUP },
        uniforms: is1d
          ? { positionStride }
          : { ci, co, positionStride, interleave: choice.product === 'subgroup' ? 8 : co / 4 },
        bindings: { kernel: 'kernel', transformedKernel: 'transformedKernel' },
        grid: grid1d(positionStride, WORKGROUP, target),
      },
    ],
    temporaries: {},
    flops: 0,
    bytes: 4 * (kh * kw * ci * co + floats),
  };
}

/** F(4x4, 3x3), F(4, 7). */
function nameOf(kernel: WinogradKernel, { output }: WinogradChoice): string {
  return axisOf1d(kernel) === null ? `F(${output}x${output}, 3x3)` : `F(${output}, 7)`;
}

/**
 * y = conv(x, kernel), 3x3 or 7 in one dimension, with stride 1, from its transformed kernel, with bias, residual and relu fused if wanted.
 *
 * Buffers: `x [n, h, w, ci]`, `transformedKernel` (from `planWinogradKernel` with the same choice), `bias [co]` (null without),
 * `residual` like y (only with `residual`), `y [n, oh, ow, co]`, or wider with `outputSlice`. The tiles are processed in chunks, so that what lies between the passes stays small.
 */
export function planWinograd(
  shape: Conv2dShape,
  epilogue: Conv2dEpilogue,
  target: KernelTarget,
  choice: WinogradChoice,
): Plan {
  checkConv2dShape(shape);
  const { ci, co } = shape;
  const chunks = winogradChunks(shape, epilogue, choice, target);
  const widest = Math.max(...chunks.map(({ tiles }) => Math.ceil(tiles / 8) * 8));
  const parts = chunks.map((chunk) => chunkDispatches(chunk, { shape, epilogue, target, choice }));
  return {
    kernel: 'conv2d winograd',
    variant: `${nameOf(shape, choice)} ${choice.product}`,
    dispatches: parts.flatMap((part) => part.dispatches),
    temporaries: {
      transformedInput: 4 * positions(shape, choice.output) * widest * ci,
      products: 4 * positions(shape, choice.output) * widest * co,
      ...sharedTemporaries(parts),
    },
    flops: conv2dFlops(shape),
    bytes: conv2dBytes(shape),
  };
}

interface Problem {
  readonly shape: Conv2dShape;
  readonly epilogue: Conv2dEpilogue;
  readonly target: KernelTarget;
  readonly choice: WinogradChoice;
}

/** The three passes over some of the tiles. */
function chunkDispatches(
  chunk: TileChunk,
  { shape, epilogue, target, choice }: Problem,
): Pick<Plan, 'dispatches' | 'temporaries'> {
  const { h, w, ci, oh, ow, co, padTop, padLeft } = shape;
  const tiles = winogradTiles(shape, choice.output);
  const WORKGROUP = workgroup(target);
  const interleave = choice.product === 'matmul' ? 1 : 8;
  const rows = Math.ceil(chunk.tiles / interleave) * interleave;
  const images = (buffer: string, image: number): { binding: Binding; offset: number } =>
    floatSlice(buffer, chunk.image * image, chunk.images * image, chunk.images === shape.n, target);
  const slice = outputSliceOf(shape, epilogue);
  const yStrideN = oh * ow * slice.channels;
  const [x, y] = [images('x', h * w * ci), images('y', yStrideN)];
  const residual = epilogue.residual ? images('residual', yStrideN).binding : 'bias';
  const line = axisOf1d(shape);
  const along = line === null ? {} : { down: line === 'column' ? 1 : 0, right: line === 'row' ? 1 : 0 };
  const common = { first: chunk.first, tiles: chunk.tiles, tilesX: tiles.x, tilesY: tiles.y, ...along };
  const place = { h, w, ci, padTop, padLeft, xOffset: x.offset, positionStride: (rows * ci) / 4 };
  const input: Dispatch = {
    shader: inputShader(line !== null, choice),
    constants: { WORKGROUP },
    uniforms: { ...common, ...place, ...(line === null && { interleave }) },
    bindings: { x: x.binding, transformedInput: 'transformedInput' },
    grid: grid1d((rows * ci) / 4, WORKGROUP, target),
  };
  const output: Dispatch = {
    shader: line === null ? `winograd/output-${choice.output}` : 'winograd/output-1d',
    constants: {
      WORKGROUP,
      HAS_BIAS: epilogue.bias,
      ADD_RESIDUAL: epilogue.residual === true,
      RELU: epilogue.relu,
    },
    uniforms: {
      ...common,
      oh,
      ow,
      co,
      yStrideW: slice.channels,
      yOffset: y.offset + slice.offset,
      positionStride: ((choice.product === 'outer-product' ? rows : chunk.tiles) * co) / 4,
    },
    bindings: { products: 'products', bias: 'bias', residual, y: y.binding },
    grid: grid1d((chunk.tiles * co) / 4, WORKGROUP, target),
  };
  const products = multiply(chunk, shape, choice, target);
  return { dispatches: [input, ...products.dispatches, output], temporaries: products.temporaries };
}

function inputShader(is1d: boolean, { output, product }: WinogradChoice): Dispatch['shader'] {
  if (is1d) return 'winograd/input-1d';
  return product === 'outer-product' ? `winograd/input-transposed-${output}` : `winograd/input-${output}`;
}

/** For each position a product of a (tiles, ci) and a (ci, co) matrix. */
function multiply(
  { tiles }: TileChunk,
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
      bindings: {
        transformedInput: 'transformedInput',
        transformedKernel: 'transformedKernel',
        products: 'products',
      },
      grid: grid1d(blocks, 1, target),
    };
    return { dispatches: [dispatch], temporaries: {} };
  }
  const transposeA = choice.product === 'outer-product';
  const m = transposeA ? Math.ceil(tiles / 8) * 8 : tiles;
  const product = planMatmul({ m, n: co, k: ci, batch, transposeA }, { bias: false, relu: false }, target);
  const names: Readonly<Record<string, string>> = {
    a: 'transformedInput',
    b: 'transformedKernel',
    c: 'products',
  };
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
