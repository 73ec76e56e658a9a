import { ConvbaseError } from '@convbase/base';
import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import type { ShaderName } from '../../commands/shader.ts';
import { bindingSlices, slicePairs } from '../binding-slices.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { checkExtents } from '../check-extents.ts';

/** A slice of the last axis: `channels` of `totalChannels`, from `offset` on. */
export interface ConcatSlice {
  /** Product of all other axes. */
  readonly rows: number;
  readonly channels: number;
  readonly totalChannels: number;
  readonly offset: number;
}

/** Writes `x` (rows, channels) into a slice of the channels of `y` (rows, totalChannels); the rest of `y` stays. */
export function planConcatWrite(slice: ConcatSlice, target: KernelTarget): Plan {
  return plan('concat-write', 'write', slice, target);
}

/** Reads a slice of the channels of `y` (rows, totalChannels) into `x` (rows, channels): the gradient of concat. */
export function planConcatRead(slice: ConcatSlice, target: KernelTarget): Plan {
  return plan('concat-read', 'read', slice, target);
}

function plan(kernel: string, name: 'write' | 'read', slice: ConcatSlice, target: KernelTarget): Plan {
  checkExtents(kernel, { rows: slice.rows, channels: slice.channels, totalChannels: slice.totalChannels });
  const { rows, channels, totalChannels, offset } = slice;
  if (offset < 0 || offset + channels > totalChannels) {
    throw new ConvbaseError(
      'concat/shape',
      `channels ${String(offset)} to ${String(offset + channels)} do not lie in ${String(totalChannels)}`,
      { where: kernel },
    );
  }
  const vectors = [channels, totalChannels, offset].every((number) => number % 4 === 0);
  const dispatches = vectors
    ? copies(
        `concat/${name}-vec4`,
        { rows, channels: channels / 4, totalChannels: totalChannels / 4, offset: offset / 4 },
        16,
        target,
      )
    : copies(`concat/${name}`, slice, 4, target);
  const variant = vectors ? 'vec4' : 'scalar';
  return { kernel, variant, temporaries: {}, flops: 0, bytes: 8 * rows * channels, dispatches };
}

/** `slice` counts in elements of `elementBytes`. */
function copies(
  shader: ShaderName,
  { rows, channels, totalChannels, offset }: ConcatSlice,
  elementBytes: number,
  target: KernelTarget,
): Dispatch[] {
  const small = bindingSlices(rows * channels, target, elementBytes);
  const large = bindingSlices(rows * totalChannels, target, elementBytes);
  const row = (element: number) => Math.floor(element / channels);
  const pairs = slicePairs(small, large, (first, end) => [
    row(first) * totalChannels + offset,
    row(end - 1) * totalChannels + offset + channels,
  ]);
  return pairs.map(({ output: x, input: y }) => ({
    shader,
    constants: { WORKGROUP: FLAT_WORKGROUP },
    uniforms: {
      count: x.count,
      xFirst: x.first,
      yFirst: y.first,
      yCount: y.count,
      channels,
      totalChannels,
      offset,
    },
    bindings: { x: x.of('x'), y: y.of('y') },
    grid: grid1d(x.count, FLAT_WORKGROUP, target),
  }));
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    { shader: 'concat/write', constants },
    { shader: 'concat/write-vec4', constants },
    { shader: 'concat/read', constants },
    { shader: 'concat/read-vec4', constants },
  ];
}
