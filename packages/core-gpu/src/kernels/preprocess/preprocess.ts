import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { bindingSlices, slicePairs } from '../binding-slices.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import type { RowsShape } from '../row-reductions.ts';
import { checkExtents } from '../check-extents.ts';

/**
 * How images of 0 to 255 become what a model was trained on: `caffe` (BGR minus ImageNet's mean), `tf`
 * (x / 127.5 - 1), `rescale` (x / 255), `none` (as they are). Names as in Keras' `imagenet_utils`.
 */
export type PreprocessMode = 'caffe' | 'tf' | 'rescale' | 'none';

/** `MODE` in the shader. */
export const modes = { none: 0, rescale: 1, tf: 2, caffe: 3 } as const satisfies Record<
  PreprocessMode,
  number
>;

/** Pixels after which both the bytes and the floats are back at a legal binding offset. */
const ALIGNED_PIXELS = 256;

/**
 * `y` (pixels, 3) floats from `bytes`: uint8 RGB, four bytes to a word, the first in the lowest bits (what a
 * Uint8Array of the pixels is on every machine that has WebGPU), padded to whole words.
 */
export function planPreprocess(
  { pixels, mode }: { pixels: number; mode: PreprocessMode },
  target: KernelTarget,
): Plan {
  checkExtents('preprocess', { pixels });
  const pixelBytes = 3 * 4;
  const step = Math.floor(target.maxBindingBytes / (ALIGNED_PIXELS * pixelBytes)) * ALIGNED_PIXELS;
  const whole = pixels * pixelBytes <= target.maxBindingBytes;
  const slices = whole ? [{ first: 0, count: pixels }] : pixelSlices(pixels, step);
  return {
    kernel: 'preprocess',
    variant: mode,
    temporaries: {},
    flops: 3 * pixels,
    bytes: 15 * pixels,
    dispatches: slices.map(({ first, count }) => ({
      shader: 'preprocess/preprocess',
      constants: { WORKGROUP: FLAT_WORKGROUP, MODE: modes[mode] },
      uniforms: { count: 3 * count },
      bindings: {
        bytes: { buffer: 'bytes', offset: 3 * first, size: 4 * Math.ceil((3 * count) / 4) },
        y: { buffer: 'y', offset: pixelBytes * first, size: 16 * Math.ceil((3 * count) / 4) },
      },
      grid: grid1d(Math.ceil(count / 4), FLAT_WORKGROUP, target),
    })),
  };
}

function pixelSlices(total: number, step: number): { first: number; count: number }[] {
  return Array.from({ length: Math.ceil(total / step) }, (_, i) => ({
    first: i * step,
    count: Math.min(step, total - i * step),
  }));
}

/** `y` (rows, classes) has a 1 at the class of each row, from `indices` (rows) of u32. */
export function planOneHot({ rows, classes }: RowsShape, target: KernelTarget): Plan {
  checkExtents('one-hot', { rows, classes });
  const count = rows * classes;
  const pairs = slicePairs(bindingSlices(count, target), bindingSlices(rows, target), (first, end) => [
    Math.floor(first / classes),
    Math.ceil(end / classes),
  ]);
  return {
    kernel: 'one-hot',
    variant: 'elementwise',
    temporaries: {},
    flops: 0,
    bytes: 4 * (rows + count),
    dispatches: pairs.map(({ output, input }) => ({
      shader: 'preprocess/one-hot',
      constants: { WORKGROUP: FLAT_WORKGROUP },
      uniforms: {
        count: output.count,
        yFirst: output.first,
        rowFirst: input.first,
        rowCount: input.count,
        classes,
      },
      bindings: { indices: input.of('indices'), y: output.of('y') },
      grid: grid1d(output.count, FLAT_WORKGROUP, target),
    })),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  return [
    ...Object.values(modes).map((MODE): ShaderVariant => ({
      shader: 'preprocess/preprocess',
      constants: { WORKGROUP: FLAT_WORKGROUP, MODE },
    })),
    { shader: 'preprocess/one-hot', constants: { WORKGROUP: FLAT_WORKGROUP } },
  ];
}
