import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { bindingSlices, slicePairs, type SlicePair } from '../binding-slices.ts';
import { channelUnits, type ChannelUnits, type ChannelVariant } from '../channel-vectors.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { uniformFlag } from '../uniform-flag.ts';
import { checkPoolShape, type PoolShape } from './shape.ts';

/**
 * Max pooling: `y` (n, oh, ow, c) from `x` (n, h, w, c). Over the whole image it is global max pooling. `variant` is
 * for tests and the ladder; by default the number of channels decides.
 */
export function planMaxPoolForward(shape: PoolShape, target: KernelTarget, variant?: ChannelVariant): Plan {
  const units = unitsOf(shape, variant);
  return {
    ...describe('max-pool', units),
    // Bound, because the shader declares it, and not written.
    temporaries: { position: 16 },
    dispatches: maxDispatches(units, 'y', false, target),
  };
}

/**
 * Gradient of max pooling: `dx` from `x` and `dy`. The gradient of a window goes to its first maximum in row-major
 * order, as in TensorFlow. Pooling is done once more to find where the maxima are.
 */
export function planMaxPoolInputGradient(
  shape: PoolShape,
  target: KernelTarget,
  variant?: ChannelVariant,
): Plan {
  const units = unitsOf(shape, variant);
  const outputBytes = 4 * shape.n * shape.oh * shape.ow * shape.c;
  const gather = gradientPairs(units, target).map(({ pair, split }): Dispatch => ({
    shader: units.variant === 'vec4' ? 'pooling/max-gradient-vec4' : 'pooling/max-gradient',
    constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: split },
    uniforms: gradientUniforms(units, pair),
    bindings: {
      position: pair.input.of('position'),
      dy: pair.input.of('dy'),
      dx: pair.output.of('dx'),
    },
    grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
  }));
  return {
    ...describe('max-pool-gradient', units),
    temporaries: { best: outputBytes, position: outputBytes },
    dispatches: [...maxDispatches(units, 'best', true, target), ...gather],
  };
}

/** Average pooling: `y` (n, oh, ow, c) from `x` (n, h, w, c); padding does not count in the average. */
export function planAveragePoolForward(
  shape: PoolShape,
  target: KernelTarget,
  variant?: ChannelVariant,
): Plan {
  const units = unitsOf(shape, variant);
  return {
    ...describe('average-pool', units),
    temporaries: {},
    dispatches: forwardPairs(units, target).map(({ pair, split }) => ({
      shader: units.variant === 'vec4' ? 'pooling/average-vec4' : 'pooling/average',
      constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: split },
      uniforms: { ...forwardUniforms(units, pair), isLast: uniformFlag(pair.isLast) },
      bindings: { x: pair.input.of('x'), y: pair.output.of('y') },
      grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
    })),
  };
}

/** Gradient of average pooling: `dx` (n, h, w, c) from `dy` (n, oh, ow, c). */
export function planAveragePoolInputGradient(
  shape: PoolShape,
  target: KernelTarget,
  variant?: ChannelVariant,
): Plan {
  const units = unitsOf(shape, variant);
  return {
    ...describe('average-pool-gradient', units),
    temporaries: {},
    dispatches: gradientPairs(units, target).map(({ pair, split }) => ({
      shader: units.variant === 'vec4' ? 'pooling/average-gradient-vec4' : 'pooling/average-gradient',
      constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: split },
      uniforms: gradientUniforms(units, pair),
      bindings: { dy: pair.input.of('dy'), dx: pair.output.of('dx') },
      grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
    })),
  };
}

/** A pooling whose `c` counts what a thread handles at once. */
type PoolUnits = PoolShape & ChannelUnits;

function unitsOf(shape: PoolShape, variant: ChannelVariant | undefined): PoolUnits {
  checkPoolShape(shape);
  return { ...shape, ...channelUnits(shape.c, variant) };
}

function maxDispatches(units: PoolUnits, y: string, positions: boolean, target: KernelTarget): Dispatch[] {
  return forwardPairs(units, target).map(({ pair, split }) => ({
    shader: units.variant === 'vec4' ? 'pooling/max-vec4' : 'pooling/max',
    constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: split, POSITIONS: positions },
    uniforms: forwardUniforms(units, pair),
    bindings: {
      x: pair.input.of('x'),
      y: pair.output.of(y),
      position: positions ? pair.output.of('position') : 'position',
    },
    grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
  }));
}

interface PoolPair {
  readonly pair: SlicePair;
  /** The input comes in several slices. */
  readonly split: boolean;
}

/** Slices of y with the slices of x under their windows. */
function forwardPairs(units: PoolUnits, target: KernelTarget): PoolPair[] {
  const { n, h, w, c, oh, ow, strideH, poolH, padTop, bytes } = units;
  const outputs = bindingSlices(n * oh * ow * c, target, bytes);
  const inputs = bindingSlices(n * h * w * c, target, bytes);
  const pairs = slicePairs(outputs, inputs, (first, end) => {
    const from = Math.floor(first / (ow * c));
    const to = Math.floor((end - 1) / (ow * c));
    const firstRow = Math.floor(from / oh) * h + Math.max((from % oh) * strideH - padTop, 0);
    const lastRow = Math.floor(to / oh) * h + Math.min((to % oh) * strideH + poolH - padTop, h) - 1;
    return [firstRow * w * c, (lastRow + 1) * w * c];
  });
  return pairs.map((pair) => ({ pair, split: inputs.length > 1 }));
}

/** Slices of dx with the slices of dy whose windows may contain them. */
function gradientPairs(units: PoolUnits, target: KernelTarget): PoolPair[] {
  const { n, h, w, c, oh, ow, strideH, poolH, padTop, bytes } = units;
  const outputs = bindingSlices(n * h * w * c, target, bytes);
  const inputs = bindingSlices(n * oh * ow * c, target, bytes);
  const pairs = slicePairs(outputs, inputs, (first, end) => {
    const from = Math.floor(first / (w * c));
    const to = Math.floor((end - 1) / (w * c));
    const firstRow = Math.max(Math.floor(((from % h) + padTop - poolH) / strideH) + 1, 0);
    const lastRow = Math.min(Math.floor(((to % h) + padTop) / strideH), oh - 1);
    const row = Math.floor(from / h) * oh + firstRow;
    return [row * ow * c, (Math.floor(to / h) * oh + lastRow + 1) * ow * c];
  });
  return pairs.map((pair) => ({ pair, split: inputs.length > 1 }));
}

function forwardUniforms(units: PoolUnits, { output, input, isFirst }: SlicePair): Record<string, number> {
  return {
    count: output.count,
    yFirst: output.first,
    xFirst: input.first,
    xCount: input.count,
    ...shapeUniforms(units),
    isFirst: uniformFlag(isFirst),
  };
}

function gradientUniforms(units: PoolUnits, { output, input, isFirst }: SlicePair): Record<string, number> {
  return {
    count: output.count,
    xFirst: output.first,
    yFirst: input.first,
    yCount: input.count,
    ...shapeUniforms(units),
    isFirst: uniformFlag(isFirst),
  };
}

function shapeUniforms({
  h,
  w,
  c,
  oh,
  ow,
  poolH,
  poolW,
  strideH,
  strideW,
  padTop,
  padLeft,
}: PoolUnits): Record<string, number> {
  return { h, w, c, oh, ow, poolH, poolW, strideH, strideW, padTop, padLeft };
}

function describe(
  kernel: string,
  { n, h, w, c, oh, ow, poolH, poolW, bytes, variant }: PoolUnits,
): Pick<Plan, 'kernel' | 'variant' | 'flops' | 'bytes'> {
  return {
    kernel,
    variant,
    flops: (bytes / 4) * n * oh * ow * c * poolH * poolW,
    bytes: bytes * n * c * (h * w + oh * ow),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    ...(['', '-vec4'] as const).flatMap((suffix): ShaderVariant[] => [
      ...[false, true].flatMap((SPLIT): ShaderVariant[] => [
        { shader: `pooling/max${suffix}`, constants: { ...constants, SPLIT, POSITIONS: false } },
        { shader: `pooling/max${suffix}`, constants: { ...constants, SPLIT, POSITIONS: true } },
        { shader: `pooling/max-gradient${suffix}`, constants: { ...constants, SPLIT } },
        { shader: `pooling/average${suffix}`, constants: { ...constants, SPLIT } },
        { shader: `pooling/average-gradient${suffix}`, constants: { ...constants, SPLIT } },
        { shader: `pooling/spatial-sum${suffix}`, constants: { ...constants, SPLIT } },
      ]),
      { shader: `pooling/spatial-broadcast${suffix}`, constants },
    ]),
    { shader: 'pooling/max-gradient-naive', constants },
  ];
}
