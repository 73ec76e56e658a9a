import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { planElementwise } from '../elementwise-plan.ts';
import { FLAT_WORKGROUP } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { checkExtents } from '../check-extents.ts';

/** Chains of a thread, and the constants of the loop over them: `STEPS` comes from outside. */
export const FMA_CHAINS = 12;
const UNROLLED = 4;

export interface FmaOptions {
  /** A multiple of the workgroup's 64. */
  readonly threads: number;
  /** Passes through the loop, each of 4 multiply-adds a chain. */
  readonly steps: number;
  /** Every chain is a -> a * factor + term. */
  readonly factor: number;
  readonly term: number;
}

/** Multiply-adds of a chain in one run. */
export function fmaChainLength({ steps }: Pick<FmaOptions, 'steps'>): number {
  return steps * UNROLLED;
}

/** Nothing but multiply-adds in registers: `y` gets a float from each thread. */
export function planFmaRate(options: FmaOptions, target: KernelTarget): Plan {
  checkExtents('fma rate', { threads: options.threads, steps: options.steps });
  const { threads, steps, factor, term } = options;
  const groups = Math.min(Math.floor(threads / FLAT_WORKGROUP), target.maxGrid);
  return {
    kernel: 'fma rate',
    variant: 'roofline',
    temporaries: {},
    flops: 2 * FMA_CHAINS * fmaChainLength(options) * groups * FLAT_WORKGROUP,
    bytes: 4 * groups * FLAT_WORKGROUP,
    dispatches: [
      {
        shader: 'roofline/fma',
        constants: { WORKGROUP: FLAT_WORKGROUP, STEPS: steps, UNROLLED },
        uniforms: { factor, term },
        bindings: { y: 'y' },
        grid: [groups, 1, 1],
      },
    ],
  };
}

/** `y = x`; both of `count` floats, a multiple of four. */
export function planCopyRate({ count }: { count: number }, target: KernelTarget): Plan {
  return planElementwise(
    { kernel: 'copy rate', shader: 'roofline/copy', buffers: ['x', 'y'], count, flops: 0 },
    target,
  );
}

/** Every shader of this folder with the constants it is used with. */
export function variants(): ShaderVariant[] {
  return [
    { shader: 'roofline/fma', constants: { WORKGROUP: FLAT_WORKGROUP, STEPS: 1024, UNROLLED } },
    { shader: 'roofline/copy', constants: { WORKGROUP: FLAT_WORKGROUP } },
  ];
}
