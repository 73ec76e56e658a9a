import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { planElementwise } from '../elementwise-plan.ts';
import { FLAT_WORKGROUP } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';

/** Functions of one number. */
export type UnaryKind = 'exp' | 'log' | 'abs' | 'sqrt' | 'reciprocal';

/** `KIND` in the shaders, and arithmetic operations per element. */
const kinds = {
  exp: { KIND: 0, forwardFlops: 20, gradientFlops: 1 },
  log: { KIND: 1, forwardFlops: 25, gradientFlops: 1 },
  abs: { KIND: 2, forwardFlops: 1, gradientFlops: 1 },
  sqrt: { KIND: 3, forwardFlops: 1, gradientFlops: 2 },
  reciprocal: { KIND: 4, forwardFlops: 1, gradientFlops: 2 },
} as const satisfies Record<UnaryKind, object>;

/** `y = kind(x)`; `x` and `y` have `count` floats. */
export function planUnary(
  { kind, count }: { readonly kind: UnaryKind; readonly count: number },
  target: KernelTarget,
): Plan {
  const { KIND, forwardFlops: flops } = kinds[kind];
  return planElementwise(
    { kernel: kind, shader: 'math/unary', constants: { KIND }, buffers: ['x', 'y'], count, flops },
    target,
  );
}

/** `dx` from `dy` and `v`, which is the function's input for log and abs, else its output; `count` floats each. */
export function planUnaryGradient(
  { kind, count }: { readonly kind: UnaryKind; readonly count: number },
  target: KernelTarget,
): Plan {
  const { KIND, gradientFlops: flops } = kinds[kind];
  const buffers = ['v', 'dy', 'dx'];
  return planElementwise(
    {
      kernel: `${kind}-gradient`,
      shader: 'math/unary-gradient',
      constants: { KIND },
      buffers,
      count,
      flops,
    },
    target,
  );
}

/** `y = max(a, b)`; three buffers of `count` floats. */
export function planMaximum({ count }: { readonly count: number }, target: KernelTarget): Plan {
  return planElementwise(
    { kernel: 'maximum', shader: 'math/maximum', buffers: ['a', 'b', 'y'], count, flops: 1 },
    target,
  );
}

/** `dx`, the gradient of `max(a, b)` with respect to a or b, from `dy`; four buffers of `count` floats. */
export function planMaximumGradient(
  { of, count }: { readonly of: 'a' | 'b'; readonly count: number },
  target: KernelTarget,
): Plan {
  return planElementwise(
    {
      kernel: 'maximum-gradient',
      shader: 'math/maximum-gradient',
      constants: { OTHER: of === 'b' },
      buffers: ['a', 'b', 'dy', 'dx'],
      count,
      flops: 1,
    },
    target,
  );
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const WORKGROUP = FLAT_WORKGROUP;
  return [
    ...Object.values(kinds).flatMap(({ KIND }): ShaderVariant[] => [
      { shader: 'math/unary', constants: { WORKGROUP, KIND } },
      { shader: 'math/unary-gradient', constants: { WORKGROUP, KIND } },
    ]),
    { shader: 'math/maximum', constants: { WORKGROUP } },
    ...[false, true].map((OTHER): ShaderVariant => ({
      shader: 'math/maximum-gradient',
      constants: { WORKGROUP, OTHER },
    })),
  ];
}
