import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { elementWindows, grid1d } from '../grid.ts';
import { FLAT_WORKGROUP, flag, windowPairs, type Variant, type WindowPair } from '../windows.ts';
import type { PoolShape } from './shape.ts';

/** Max pooling: `y` (n, oh, ow, c) from `x` (n, h, w, c). Over the whole plane it is global max pooling. */
export function planMaxPoolForward(shape: PoolShape, target: KernelTarget): Plan {
  return {
    ...describe('max-pool', shape),
    // Bound, because the shader declares it, and not written.
    temporaries: { position: 16 },
    dispatches: maxDispatches(shape, 'y', false, target),
  };
}

/**
 * Gradient of max pooling: `dx` from `x` and `dy`. The gradient of a window goes to its first maximum in row-major
 * order, as in TensorFlow. Pooling is done once more to find where the maxima are.
 */
export function planMaxPoolInputGradient(shape: PoolShape, target: KernelTarget): Plan {
  const outputs = 4 * outputCount(shape);
  const gather = gradientPairs(shape, target).map(({ pair, split }): Dispatch => ({
    shader: 'pooling/max-gradient',
    constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: split },
    uniforms: gradientUniforms(shape, pair),
    bindings: {
      position: pair.input.of('position'),
      dy: pair.input.of('dy'),
      dx: pair.output.of('dx'),
    },
    grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
  }));
  return {
    ...describe('max-pool-gradient', shape),
    temporaries: { best: outputs, position: outputs },
    dispatches: [...maxDispatches(shape, 'best', true, target), ...gather],
  };
}

/** Average pooling: `y` (n, oh, ow, c) from `x` (n, h, w, c); padding does not count in the average. */
export function planAveragePoolForward(shape: PoolShape, target: KernelTarget): Plan {
  return {
    ...describe('average-pool', shape),
    temporaries: {},
    dispatches: forwardPairs(shape, target).map(({ pair, split }) => ({
      shader: 'pooling/average',
      constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: split },
      uniforms: { ...forwardUniforms(shape, pair), done: flag(pair.last) },
      bindings: { x: pair.input.of('x'), y: pair.output.of('y') },
      grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
    })),
  };
}

/** Gradient of average pooling: `dx` (n, h, w, c) from `dy` (n, oh, ow, c). */
export function planAveragePoolInputGradient(shape: PoolShape, target: KernelTarget): Plan {
  return {
    ...describe('average-pool-gradient', shape),
    temporaries: {},
    dispatches: gradientPairs(shape, target).map(({ pair, split }) => ({
      shader: 'pooling/average-gradient',
      constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: split },
      uniforms: gradientUniforms(shape, pair),
      bindings: { dy: pair.input.of('dy'), dx: pair.output.of('dx') },
      grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
    })),
  };
}

function maxDispatches(shape: PoolShape, y: string, positions: boolean, target: KernelTarget): Dispatch[] {
  return forwardPairs(shape, target).map(({ pair, split }) => ({
    shader: 'pooling/max',
    constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: split, POSITIONS: positions },
    uniforms: forwardUniforms(shape, pair),
    bindings: {
      x: pair.input.of('x'),
      y: pair.output.of(y),
      position: positions ? pair.output.of('position') : 'position',
    },
    grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
  }));
}

/** Stretches of y with the stretches of x under their windows. */
function forwardPairs(shape: PoolShape, target: KernelTarget): { pair: WindowPair; split: boolean }[] {
  const { h, w, c, oh, ow, sh, ph, top } = shape;
  const inputs = elementWindows(inputCount(shape), target);
  const pairs = windowPairs(elementWindows(outputCount(shape), target), inputs, (first, end) => {
    const from = Math.floor(first / (ow * c));
    const to = Math.floor((end - 1) / (ow * c));
    const firstRow = Math.floor(from / oh) * h + Math.max((from % oh) * sh - top, 0);
    const lastRow = Math.floor(to / oh) * h + Math.min((to % oh) * sh + ph - top, h) - 1;
    return [firstRow * w * c, (lastRow + 1) * w * c];
  });
  return pairs.map((pair) => ({ pair, split: inputs.length > 1 }));
}

/** Stretches of dx with the stretches of dy whose windows may contain them. */
function gradientPairs(shape: PoolShape, target: KernelTarget): { pair: WindowPair; split: boolean }[] {
  const { h, w, c, oh, ow, sh, ph, top } = shape;
  const inputs = elementWindows(outputCount(shape), target);
  const pairs = windowPairs(elementWindows(inputCount(shape), target), inputs, (first, end) => {
    const from = Math.floor(first / (w * c));
    const to = Math.floor((end - 1) / (w * c));
    const firstRow = Math.max(Math.floor(((from % h) + top - ph) / sh) + 1, 0);
    const lastRow = Math.min(Math.floor(((to % h) + top) / sh), oh - 1);
    const row = Math.floor(from / h) * oh + firstRow;
    return [row * ow * c, (Math.floor(to / h) * oh + lastRow + 1) * ow * c];
  });
  return pairs.map((pair) => ({ pair, split: inputs.length > 1 }));
}

function forwardUniforms(shape: PoolShape, { output, input, first }: WindowPair): Record<string, number> {
  return {
    count: output.count,
    yFirst: output.first,
    xFirst: input.first,
    xCount: input.count,
    ...planeUniforms(shape),
    fresh: flag(first),
  };
}

function gradientUniforms(shape: PoolShape, { output, input, first }: WindowPair): Record<string, number> {
  return {
    count: output.count,
    xFirst: output.first,
    yFirst: input.first,
    yCount: input.count,
    ...planeUniforms(shape),
    fresh: flag(first),
  };
}

function planeUniforms({ h, w, c, oh, ow, ph, pw, sh, sw, top, left }: PoolShape): Record<string, number> {
  return { h, w, c, oh, ow, ph, pw, sh, sw, top, left };
}

function inputCount({ n, h, w, c }: PoolShape): number {
  return n * h * w * c;
}

function outputCount({ n, oh, ow, c }: PoolShape): number {
  return n * oh * ow * c;
}

function describe(kernel: string, shape: PoolShape): Pick<Plan, 'kernel' | 'variant' | 'flops' | 'bytes'> {
  return {
    kernel,
    variant: 'scalar',
    flops: outputCount(shape) * shape.ph * shape.pw,
    bytes: 4 * (inputCount(shape) + outputCount(shape)),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): Variant[] {
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    ...[false, true].flatMap((SPLIT): Variant[] => [
      { shader: 'pooling/max', constants: { ...constants, SPLIT, POSITIONS: false } },
      { shader: 'pooling/max', constants: { ...constants, SPLIT, POSITIONS: true } },
      { shader: 'pooling/max-gradient', constants: { ...constants, SPLIT } },
      { shader: 'pooling/average', constants: { ...constants, SPLIT } },
      { shader: 'pooling/average-gradient', constants: { ...constants, SPLIT } },
      { shader: 'pooling/plane-sum', constants: { ...constants, SPLIT } },
    ]),
    { shader: 'pooling/plane-spread', constants },
  ];
}
