import { ConvbaseError } from '@convbase/base';
import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { bindingSlices, slicePairs } from '../binding-slices.ts';
import { channelUnits } from '../channel-vectors.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { uniformFlag } from '../uniform-flag.ts';
import { checkExtents } from '../check-extents.ts';

/** A batch of images and how many rows and columns of zeros go round each. */
export interface PaddingShape {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** `y` (n, top + h + bottom, left + w + right, c) is `x` (n, h, w, c) in a frame of zeros. */
export function planZeroPad2d(shape: PaddingShape, target: KernelTarget): Plan {
  checkExtents('zero-pad', { n: shape.n, h: shape.h, w: shape.w, c: shape.c });
  const { n, h, w, top, left } = shape;
  const { height, width } = paddedSize(shape);
  const { c, bytes, variant } = channelUnits(shape.c);
  const outputs = bindingSlices(n * height * width * c, target, bytes);
  const inputs = bindingSlices(n * h * w * c, target, bytes);
  // Whole rows, the frame's own taken as the nearest row of the image.
  const row = (element: number) => {
    const padded = Math.floor(element / (width * c));
    const inside = Math.min(Math.max((padded % height) - top, 0), h - 1);
    return Math.floor(padded / height) * h + inside;
  };
  const pairs = slicePairs(outputs, inputs, (first, end) => [row(first) * w * c, (row(end - 1) + 1) * w * c]);
  return {
    kernel: 'zero-padding',
    variant,
    temporaries: {},
    flops: 0,
    bytes: bytes * n * c * (h * w + height * width),
    dispatches: pairs.map(({ output: y, input: x, isFirst }) => ({
      shader: variant === 'vec4' ? 'padding/pad-vec4' : 'padding/pad',
      constants: { WORKGROUP: FLAT_WORKGROUP },
      uniforms: {
        count: y.count,
        yFirst: y.first,
        xFirst: x.first,
        xCount: x.count,
        h,
        w,
        c,
        height,
        width,
        top,
        left,
        isFirst: uniformFlag(isFirst),
      },
      bindings: { x: x.of('x'), y: y.of('y') },
      grid: grid1d(y.count, FLAT_WORKGROUP, target),
    })),
  };
}

/** `dx` (n, h, w, c) is `dy` (n, top + h + bottom, left + w + right, c) without its frame: the gradient of padding. */
export function planCrop2d(shape: PaddingShape, target: KernelTarget): Plan {
  checkExtents('crop', { n: shape.n, h: shape.h, w: shape.w, c: shape.c });
  const { n, h, w, top, left } = shape;
  const { height, width } = paddedSize(shape);
  const { c, bytes, variant } = channelUnits(shape.c);
  const outputs = bindingSlices(n * h * w * c, target, bytes);
  const inputs = bindingSlices(n * height * width * c, target, bytes);
  const row = (element: number) => {
    const inside = Math.floor(element / (w * c));
    return Math.floor(inside / h) * height + (inside % h) + top;
  };
  const pairs = slicePairs(outputs, inputs, (first, end) => [
    row(first) * width * c,
    (row(end - 1) + 1) * width * c,
  ]);
  return {
    kernel: 'crop',
    variant,
    temporaries: {},
    flops: 0,
    bytes: 2 * bytes * n * h * w * c,
    dispatches: pairs.map(({ output: dx, input: dy }) => ({
      shader: variant === 'vec4' ? 'padding/crop-vec4' : 'padding/crop',
      constants: { WORKGROUP: FLAT_WORKGROUP },
      uniforms: {
        count: dx.count,
        xFirst: dx.first,
        yFirst: dy.first,
        yCount: dy.count,
        h,
        w,
        c,
        height,
        width,
        top,
        left,
      },
      bindings: { dy: dy.of('dy'), dx: dx.of('dx') },
      grid: grid1d(dx.count, FLAT_WORKGROUP, target),
    })),
  };
}

function paddedSize(shape: PaddingShape): { height: number; width: number } {
  for (const side of ['top', 'bottom', 'left', 'right'] as const) {
    if (!Number.isSafeInteger(shape[side]) || shape[side] < 0) {
      throw new ConvbaseError(
        'padding/shape',
        `${side} is ${String(shape[side])}, it must be a whole number`,
      );
    }
  }
  return { height: shape.top + shape.h + shape.bottom, width: shape.left + shape.w + shape.right };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    { shader: 'padding/pad', constants },
    { shader: 'padding/pad-vec4', constants },
    { shader: 'padding/crop', constants },
    { shader: 'padding/crop-vec4', constants },
  ];
}
