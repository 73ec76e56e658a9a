import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { planElementwise } from '../elementwise-plan.ts';
import { FLAT_WORKGROUP } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';

/** `y = a + b`; three buffers of `count` floats. */
export function planAdd({ count }: { count: number }, target: KernelTarget): Plan {
  return planElementwise(
    { kernel: 'add', shader: 'elementwise/add', buffers: ['a', 'b', 'y'], count, flops: 1 },
    target,
  );
}

/** `y = a * b`; three buffers of `count` floats. */
export function planMultiply({ count }: { count: number }, target: KernelTarget): Plan {
  return planElementwise(
    { kernel: 'multiply', shader: 'elementwise/multiply', buffers: ['a', 'b', 'y'], count, flops: 1 },
    target,
  );
}

/** `y = factor * x`; `x` and `y` have `count` floats. */
export function planScale({ count, factor }: { count: number; factor: number }, target: KernelTarget): Plan {
  return planElementwise(
    {
      kernel: 'scale',
      shader: 'elementwise/scale',
      uniforms: { factor },
      buffers: ['x', 'y'],
      count,
      flops: 1,
    },
    target,
  );
}

/** Sets all `count` floats of `y` to `value`. */
export function planFill({ count, value }: { count: number; value: number }, target: KernelTarget): Plan {
  return planElementwise(
    { kernel: 'fill', shader: 'elementwise/fill', uniforms: { value }, buffers: ['y'], count, flops: 0 },
    target,
  );
}

/** `total = total + value` in place; two buffers of `count` floats. */
export function planAccumulate({ count }: { count: number }, target: KernelTarget): Plan {
  return planElementwise(
    { kernel: 'accumulate', shader: 'elementwise/accumulate', buffers: ['total', 'value'], count, flops: 1 },
    target,
  );
}

/** `y = x` in another storage type; `x` and `y` have `count` numbers, one of them float16 and the other float32. */
export function planCast({ count }: { count: number }, target: KernelTarget): Plan {
  return planElementwise(
    { kernel: 'cast', shader: 'elementwise/cast', buffers: ['x', 'y'], count, flops: 0 },
    target,
  );
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    { shader: 'elementwise/add', constants },
    { shader: 'elementwise/add-naive', constants },
    { shader: 'elementwise/multiply', constants },
    { shader: 'elementwise/scale', constants },
    { shader: 'elementwise/fill', constants },
    { shader: 'elementwise/cast', constants },
    { shader: 'elementwise/accumulate', constants },
  ];
}
