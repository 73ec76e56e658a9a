import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { bindingSlices, slicePairs } from '../binding-slices.ts';
import { channelUnits } from '../channel-vectors.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import { uniformFlag } from '../uniform-flag.ts';
import { checkExtents } from '../check-extents.ts';

/** A batch of images, each to become one number per channel. */
export interface SpatialShape {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
}

/** Positions that one thread of the first pass adds up. */
const STEP = 64;

/** Global average pooling: `y` (n, c) from `x` (n, h, w, c). */
export function planGlobalAveragePoolForward({ n, h, w, c }: SpatialShape, target: KernelTarget): Plan {
  checkExtents('global-average-pool', { n, h, w, c });
  const positions = h * w;
  const parts = Math.ceil(positions / STEP);
  const scale = 1 / positions;
  const twice = parts > 1;
  return {
    kernel: 'global-average-pool',
    variant: `${twice ? 'two passes' : 'one pass'}, ${channelUnits(c).variant}`,
    temporaries: twice ? { parts: 4 * n * parts * c } : {},
    flops: n * positions * c,
    bytes: 4 * n * c * (positions + 1),
    dispatches: twice
      ? [
          ...spatialSum({ n, positions, parts, step: STEP, c, scale: 1, x: 'x', y: 'parts' }, target),
          ...spatialSum({ n, positions: parts, parts: 1, step: parts, c, scale, x: 'parts', y: 'y' }, target),
        ]
      : spatialSum({ n, positions, parts: 1, step: positions, c, scale, x: 'x', y: 'y' }, target),
  };
}

/** Gradient of global average pooling: `dx` (n, h, w, c) from `dy` (n, c). */
export function planGlobalAveragePoolInputGradient(shape: SpatialShape, target: KernelTarget): Plan {
  checkExtents('global-average-pool', { ...shape });
  const { n, h, w } = shape;
  const positions = h * w;
  const { c, bytes, variant } = channelUnits(shape.c);
  const outputs = bindingSlices(n * positions * c, target, bytes);
  const image = (element: number) => Math.floor(element / (positions * c));
  const pairs = slicePairs(outputs, bindingSlices(n * c, target, bytes), (first, end) => [
    image(first) * c,
    (image(end - 1) + 1) * c,
  ]);
  return {
    kernel: 'global-average-pool-gradient',
    variant,
    temporaries: {},
    flops: n * positions * shape.c,
    bytes: 4 * n * shape.c * (positions + 1),
    dispatches: pairs.map(({ output, input }) => ({
      shader: variant === 'vec4' ? 'pooling/spatial-broadcast-vec4' : 'pooling/spatial-broadcast',
      constants: { WORKGROUP: FLAT_WORKGROUP },
      uniforms: {
        count: output.count,
        xFirst: output.first,
        yFirst: input.first,
        yCount: input.count,
        positions,
        c,
      },
      bindings: { dy: input.of('dy'), dx: output.of('dx') },
      grid: grid1d(output.count, FLAT_WORKGROUP, target),
    })),
  };
}

interface SpatialSum {
  readonly n: number;
  readonly positions: number;
  readonly parts: number;
  readonly step: number;
  readonly c: number;
  readonly scale: number;
  readonly x: string;
  readonly y: string;
}

function spatialSum(sum: SpatialSum, target: KernelTarget): Dispatch[] {
  const { n, positions, parts, step, scale } = sum;
  const { c, bytes, variant } = channelUnits(sum.c);
  const outputs = bindingSlices(n * parts * c, target, bytes);
  const inputs = bindingSlices(n * positions * c, target, bytes);
  // The positions of the part that an element of y belongs to.
  const group = (element: number) => Math.floor(element / (parts * c));
  const part = (element: number) => Math.floor(element / c) % parts;
  const pairs = slicePairs(outputs, inputs, (first, end) => [
    (group(first) * positions + part(first) * step) * c,
    (group(end - 1) * positions + Math.min((part(end - 1) + 1) * step, positions)) * c,
  ]);
  return pairs.map((pair) => ({
    shader: variant === 'vec4' ? 'pooling/spatial-sum-vec4' : 'pooling/spatial-sum',
    constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: inputs.length > 1 },
    uniforms: {
      count: pair.output.count,
      yFirst: pair.output.first,
      xFirst: pair.input.first,
      xCount: pair.input.count,
      positions,
      parts,
      step,
      c,
      scale,
      isFirst: uniformFlag(pair.isFirst),
      isLast: uniformFlag(pair.isLast),
    },
    bindings: { x: pair.input.of(sum.x), y: pair.output.of(sum.y) },
    grid: grid1d(pair.output.count, FLAT_WORKGROUP, target),
  }));
}
