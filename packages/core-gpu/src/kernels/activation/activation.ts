import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { planElementwise } from '../elementwise-plan.ts';
import { FLAT_WORKGROUP } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';

/** Activations that treat every element alike. */
export type ActivationKind = 'relu' | 'sigmoid' | 'tanh';

/** An activation of `count` floats. */
export interface ActivationShape {
  readonly kind: ActivationKind;
  readonly count: number;
}

/** `KIND` in the shaders, and arithmetic operations per element. */
const kinds = {
  relu: { KIND: 0, forwardFlops: 1, gradientFlops: 1 },
  sigmoid: { KIND: 1, forwardFlops: 20, gradientFlops: 3 },
  tanh: { KIND: 2, forwardFlops: 25, gradientFlops: 4 },
} as const satisfies Record<ActivationKind, object>;

/** `y = kind(x)`; `x` and `y` have `count` floats. */
export function planActivation({ kind, count }: ActivationShape, target: KernelTarget): Plan {
  const { KIND, forwardFlops } = kinds[kind];
  return planElementwise(
    {
      kernel: kind,
      shader: 'activation/forward',
      constants: { KIND },
      buffers: ['x', 'y'],
      count,
      flops: forwardFlops,
    },
    target,
  );
}

/** `dx` from `dy` and the activation's output `y`; three buffers of `count` floats. */
export function planActivationGradient({ kind, count }: ActivationShape, target: KernelTarget): Plan {
  const { KIND, gradientFlops } = kinds[kind];
  return planElementwise(
    {
      kernel: `${kind}-gradient`,
      shader: 'activation/gradient',
      constants: { KIND },
      buffers: ['y', 'dy', 'dx'],
      count,
      flops: gradientFlops,
    },
    target,
  );
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  return Object.values(kinds).flatMap(({ KIND }): ShaderVariant[] => {
    const constants = { WORKGROUP: FLAT_WORKGROUP, KIND };
    return [
      { shader: 'activation/forward', constants },
      { shader: 'activation/gradient', constants },
    ];
  });
}
