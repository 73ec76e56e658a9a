import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { planElementwise } from '../elementwise-plan.ts';
import { FLAT_WORKGROUP } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { planSum } from '../reduce/reduce.ts';

/** A penalty on the size of a weight of `count` numbers: `l1` times the sum of |w| plus `l2` times that of w^2. */
export interface PenaltyOptions {
  readonly count: number;
  readonly l1: number;
  readonly l2: number;
}

/** The penalty itself. Buffers: `w` [count], `y` [1]. */
export function planPenalty({ count, l1, l2 }: PenaltyOptions, target: KernelTarget): Plan {
  const terms = planElementwise(
    {
      kernel: 'penalty',
      shader: 'regularizer/penalty',
      uniforms: { l1, l2 },
      buffers: ['w', 'x'],
      count,
      flops: 5,
    },
    target,
  );
  const sum = planSum({ count }, target);
  return {
    ...terms,
    variant: 'terms, then their sum',
    flops: terms.flops + sum.flops,
    bytes: terms.bytes + sum.bytes,
    temporaries: { ...sum.temporaries, x: 4 * count },
    dispatches: [...terms.dispatches, ...sum.dispatches],
  };
}

/** Adds the penalty's gradient to the weight's, in place. Buffers: `w` and `g`, both [count]. */
export function planPenaltyGradient({ count, l1, l2 }: PenaltyOptions, target: KernelTarget): Plan {
  return planElementwise(
    {
      kernel: 'penalty-gradient',
      shader: 'regularizer/gradient',
      uniforms: { l1, l2 },
      buffers: ['w', 'g'],
      count,
      flops: 6,
    },
    target,
  );
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    { shader: 'regularizer/penalty', constants },
    { shader: 'regularizer/gradient', constants },
  ];
}
