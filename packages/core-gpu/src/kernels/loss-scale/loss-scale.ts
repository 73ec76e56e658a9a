import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { vec4Slices } from '../binding-slices.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';

/** How the loss scale changes. Powers of two, all but `growthSteps`. */
export interface LossScaleRules {
  /** Good steps in a row after which it is doubled. */
  readonly growthSteps: number;
  readonly smallest: number;
  readonly largest: number;
}

/** `g` (`count` floats) times the scale, in place. Buffers: `g`, `state` (four floats, see `update.wgsl`). */
export function planScaleLoss({ count }: { count: number }, target: KernelTarget): Plan {
  return overGradient('scale', count, ['state'], target);
}

/**
 * `g` (`count` floats) divided by the scale, in place. `nonFinite` (one uint32) becomes 1 where any of them is infinite or
 * not a number. Buffers: `g`, `state`, `nonFinite`.
 */
export function planUnscaleGradient({ count }: { count: number }, target: KernelTarget): Plan {
  return overGradient('unscale', count, ['state', 'nonFinite'], target);
}

/**
 * The scale of the next step in `state`, as Keras' LossScaleOptimizer has it, but within limits: halved where `nonFinite`
 * is not 0, which becomes 0, and doubled after `growthSteps` steps that were good. Counts what was skipped.
 */
export function planUpdateLossScale(rules: LossScaleRules): Plan {
  return {
    kernel: 'loss-scale update',
    variant: 'one thread',
    temporaries: {},
    flops: 1,
    bytes: 40,
    dispatches: [
      {
        shader: 'loss-scale/update',
        constants: {},
        uniforms: { ...rules },
        bindings: { state: 'state', nonFinite: 'nonFinite' },
        grid: [1, 1, 1],
      },
    ],
  };
}

function overGradient(
  what: 'scale' | 'unscale',
  count: number,
  others: readonly string[],
  target: KernelTarget,
): Plan {
  return {
    kernel: `loss-scale ${what}`,
    variant: 'elementwise',
    temporaries: {},
    flops: count,
    bytes: 8 * count,
    dispatches: vec4Slices(count, target).map((slice) => ({
      shader: `loss-scale/${what}` as const,
      constants: { WORKGROUP: FLAT_WORKGROUP },
      uniforms: { count: slice.count },
      bindings: { g: slice.of('g'), ...Object.fromEntries(others.map((name) => [name, name])) },
      grid: grid1d(Math.ceil(slice.count / 4), FLAT_WORKGROUP, target),
    })),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    { shader: 'loss-scale/scale', constants },
    { shader: 'loss-scale/unscale', constants },
    { shader: 'loss-scale/update', constants: {} },
  ];
}
