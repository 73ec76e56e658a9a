import type { FragmentShape } from '../kernels/fragments.ts';
import type { Problem, TunedTable } from '../tuning/table.ts';
import type { ShaderName } from './shader.ts';

/**
 * What a kernel's `choose` and `plan` may know of the adapter: plain numbers, so that both are pure functions
 * and are tested without a GPU.
 */
export interface KernelTarget {
  /** A real GPU, a software rasteriser on the CPU, or Dawn's null backend (compiles, computes nothing). */
  readonly kind: 'gpu' | 'software' | 'null';
  /** Lanes of a subgroup where that is one fixed number and the feature is on, else 0. */
  readonly subgroupSize: number;
  /** Lanes of the smallest subgroup, also where their sizes vary; absent without the feature. */
  readonly leastSubgroupSize?: number;
  /** What subgroups multiply as a whole ("tensor cores"), where that is asked for and the adapter can. */
  readonly subgroupMatrices?: readonly FragmentShape[];
  /** The factors of a product hold float16 numbers already: to multiply them as such loses nothing. */
  readonly float16Operands?: boolean;
  /** Largest storage binding in bytes. Plans split what is larger. */
  readonly maxBindingBytes: number;
  /** Binding offsets are multiples of this many bytes. */
  readonly offsetAlignment: number;
  /** Shared memory of one workgroup in bytes. */
  readonly maxWorkgroupBytes: number;
  /** Invocations of one workgroup. */
  readonly maxInvocations: number;
  /** Workgroups in one dimension of a dispatch. */
  readonly maxGrid: number;
  /** What was measured on this adapter: each `choose` asks it first. */
  readonly tuned?: TunedTable;
}

/** A storage binding: a whole buffer by name, or a slice of it, in bytes. */
export type Binding = string | { readonly buffer: string; readonly offset: number; readonly size: number };

/** What may stand in front of a shader: a number, a flag, or a type that its text leaves open. */
export type ShaderConstant = number | boolean | 'f16' | 'f32';

/** One compute dispatch as plain data. */
export interface Dispatch {
  /** `'conv2d/forward'` is `kernels/conv2d/forward.wgsl`. */
  readonly shader: ShaderName;
  /** Becomes `const NAME = value;` in front of the shader, or `alias NAME = f16;`. */
  readonly constants: Readonly<Record<string, ShaderConstant>>;
  /** Values of `struct Params`, by field name. */
  readonly uniforms: Readonly<Record<string, number>>;
  /** Buffers of the plan by the WGSL variable's name. */
  readonly bindings: Readonly<Record<string, Binding>>;
  /** Workgroups in x, y, z. */
  readonly grid: readonly [number, number, number];
}

/** How one kernel call runs on one adapter. */
export interface Plan {
  readonly kernel: string;
  readonly variant: string;
  /** What was chosen for, where there was a choice. */
  readonly problem?: Problem;
  readonly dispatches: readonly Dispatch[];
  /** What runs instead where all these buffers hold float16 numbers. */
  readonly float16?: { readonly factors: readonly string[]; readonly plan: Plan };
  /** Scratch buffers that live only during the plan: name to bytes. */
  readonly temporaries: Readonly<Record<string, number>>;
  /** Arithmetic of the operation (a multiply-add counts 2), for profiles. */
  readonly flops: number;
  /** Bytes the operation has to read and write at least once, for profiles. */
  readonly bytes: number;
}
