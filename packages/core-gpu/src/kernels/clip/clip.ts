import type { KernelTarget, Plan } from '../../commands/plan.ts';
import type { ShaderName } from '../../commands/shader.ts';
import { elementWindows, grid1d } from '../grid.ts';

const WORKGROUP = 64;

/** Clips `g` (`count` floats) to [-clipValue, clipValue] in place. Keras: `clipvalue`. */
export function planClipByValue(
  { count, clipValue }: { count: number; clipValue: number },
  target: KernelTarget,
): Plan {
  return {
    kernel: 'clip-by-value',
    variant: 'elementwise',
    temporaries: {},
    flops: 2 * count,
    bytes: 8 * count,
    dispatches: elementWindows(count, target).map((window) => ({
      shader: 'clip/value',
      constants: { WORKGROUP },
      uniforms: { count: window.count, limit: clipValue },
      bindings: { g: window.of('g') },
      grid: grid1d(window.count, WORKGROUP, target),
    })),
  };
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
    dispatches: elementWindows(count, target).map((window) => ({
      shader: 'clip/norm',
      constants: { WORKGROUP },
      uniforms: { count: window.count, limit: clipNorm },
      bindings: { g: window.of('g'), sumOfSquares: 'sumOfSquares' },
      grid: grid1d(window.count, WORKGROUP, target),
    })),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): { shader: ShaderName; constants: Record<string, number | boolean> }[] {
  return [
    { shader: 'clip/value', constants: { WORKGROUP } },
    { shader: 'clip/norm', constants: { WORKGROUP } },
  ];
}
