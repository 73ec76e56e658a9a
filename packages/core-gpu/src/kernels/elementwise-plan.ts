import type { Dispatch, KernelTarget, Plan, ShaderConstant } from '../commands/plan.ts';
import type { ShaderName } from '../commands/shader.ts';
import { FLAT_WORKGROUP, grid1d } from './grid.ts';
import { vec4Slices } from './binding-slices.ts';

/** What differs between kernels that treat every element alike. */
interface ElementwiseOptions {
  readonly kernel: string;
  readonly shader: ShaderName;
  readonly constants?: Readonly<Record<string, ShaderConstant>>;
  readonly uniforms?: Readonly<Record<string, number>>;
  /** Names of the buffers, all of `count` floats. */
  readonly buffers: readonly string[];
  readonly count: number;
  /** Arithmetic operations per element. */
  readonly flops: number;
}

/** The plan of a kernel that makes each element from the same element of its inputs, four elements a thread. */
export function planElementwise(options: ElementwiseOptions, target: KernelTarget): Plan {
  const { kernel, shader, count, buffers } = options;
  return {
    kernel,
    variant: 'elementwise',
    temporaries: {},
    flops: options.flops * count,
    bytes: 4 * buffers.length * count,
    dispatches: vec4Slices(count, target).map((slice): Dispatch => ({
      shader,
      constants: { WORKGROUP: FLAT_WORKGROUP, ...options.constants },
      uniforms: { count: slice.count, ...options.uniforms },
      bindings: Object.fromEntries(buffers.map((name) => [name, slice.of(name)])),
      grid: grid1d(Math.ceil(slice.count / 4), FLAT_WORKGROUP, target),
    })),
  };
}
