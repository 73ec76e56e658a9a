import type { Dispatch, KernelTarget, Plan, ShaderConstant } from '../commands/plan.ts';
import type { ShaderName } from '../commands/shader.ts';
import { checkCount, elementWindows, grid1d, type ElementWindow } from './grid.ts';

/** One shader with one set of constants: what a pipeline is compiled from. */
export interface Variant {
  readonly shader: ShaderName;
  readonly constants: Readonly<Record<string, ShaderConstant>>;
}

/** Threads of a workgroup where each thread works by itself. */
export const FLAT_WORKGROUP = 64;

/** What a thread handles at once: one channel, or four where their number allows it. */
export type ChannelVariant = 'scalar' | 'vec4';

/** Channels and bytes in the units of a variant. Threads that take four channels at a time need far fewer loads. */
export interface ChannelUnits {
  readonly variant: ChannelVariant;
  /** Units of one position. */
  readonly c: number;
  /** Bytes of one unit. */
  readonly bytes: number;
}

/** The units of a tensor with `c` channels, as large as they can be unless a variant is asked for. */
export function channelUnits(
  c: number,
  variant: ChannelVariant = c % 4 === 0 ? 'vec4' : 'scalar',
): ChannelUnits {
  return variant === 'vec4' ? { variant, c: c / 4, bytes: 16 } : { variant, c, bytes: 4 };
}

/** A stretch of one tensor together with a stretch of another that it needs. */
export interface WindowPair {
  readonly output: ElementWindow;
  readonly input: ElementWindow;
  /** No earlier pair has the same output: the dispatch starts afresh instead of going on. */
  readonly first: boolean;
  /** No later pair has the same output: the dispatch finishes the result. */
  readonly last: boolean;
}

/**
 * How tensors that are too large for a binding are worked off where output and input differ in shape.
 *
 * Both are cut into stretches by `elementWindows`, wherever those may fall, and each output stretch meets every
 * input stretch that holds something for it, one after the other. A thread skips what is not in the stretch that it
 * is shown and goes on from what the stretch before it left in the output. `reach` says which input elements
 * `[from, to)` the output elements `[first, end)` may need; it may say too much. Where everything fits into one
 * binding this is one pair.
 */
export function windowPairs(
  outputs: readonly ElementWindow[],
  inputs: readonly ElementWindow[],
  reach: (first: number, end: number) => readonly [from: number, to: number],
): WindowPair[] {
  return outputs.flatMap((output) => {
    const [from, to] = reach(output.first, output.first + output.count);
    const needed = inputs.filter((input) => input.first < to && input.first + input.count > from);
    // An output that needs nothing is written all the same.
    const met = needed.length > 0 ? needed : inputs.slice(0, 1);
    return met.map((input, i) => ({ output, input, first: i === 0, last: i === met.length - 1 }));
  });
}

/** WGSL has no bool uniforms. */
export function flag(value: boolean): number {
  return value ? 1 : 0;
}

/**
 * Stretches of `count` floats for shaders that see them as `array<vec4f>`: as `elementWindows`, with the binding's
 * size rounded up to whole vectors. What lies behind the last float is padding of the buffer.
 */
export function vectorWindows(count: number, target: KernelTarget): ElementWindow[] {
  checkCount(count);
  return elementWindows(Math.ceil(count / 4), target, 16).map((window) => {
    const first = 4 * window.first;
    return {
      first,
      count: Math.min(4 * window.count, count - first),
      of: (buffer) => ({ buffer, offset: 4 * first, size: 16 * window.count }),
    };
  });
}

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
    dispatches: vectorWindows(count, target).map((window): Dispatch => ({
      shader,
      constants: { WORKGROUP: FLAT_WORKGROUP, ...options.constants },
      uniforms: { count: window.count, ...options.uniforms },
      bindings: Object.fromEntries(buffers.map((name) => [name, window.of(name)])),
      grid: grid1d(Math.ceil(window.count / 4), FLAT_WORKGROUP, target),
    })),
  };
}
