import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { vec4Slices } from '../binding-slices.ts';
import { planElementwise } from '../elementwise-plan.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';

/** Clips `g` (`count` floats) to [-clipValue, clipValue] in place. Keras: `clipvalue`. */
export function planClipByValue(
  { count, clipValue }: { count: number; clipValue: number },
  target: KernelTarget,
): Plan {
  const uniforms = { limit: clipValue };
  return planElementwise(
    { kernel: 'clip-by-value', shader: 'clip/value', uniforms, buffers: ['g'], count, flops: 2 },
    target,
  );
}

/**
 * Scales `g` (`count` floats) in place so that its norm is at most `clipNorm`.
 *
 * `sumOfSquares` is one float, the squared norm: that of `g` from `planSumOfSquares` for Keras' `clipnorm`, or
 * the sum of all gradients' for `global_clipnorm`.
 */
export function planClipByNorm(
  { count, clipNorm }: { count: number; clipNorm: number },
  target: KernelTarget,
): Plan {
  return {
    kernel: 'clip-by-norm',
    variant: 'elementwise',
    temporaries: {},
    flops: 2 * count,
    bytes: 8 * count,
    dispatches: vec4Slices(count, target).map((slice) => ({
      shader: 'clip/norm',
      constants: { WORKGROUP: FLAT_WORKGROUP },
      uniforms: { count: slice.count, limit: clipNorm },
      bindings: { g: slice.of('g'), sumOfSquares: 'sumOfSquares' },
      grid: grid1d(Math.ceil(slice.count / 4), FLAT_WORKGROUP, target),
    })),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  return [
    { shader: 'clip/value', constants: { WORKGROUP: FLAT_WORKGROUP } },
    { shader: 'clip/norm', constants: { WORKGROUP: FLAT_WORKGROUP } },
  ];
}
