import { ConvbaseError } from '@convbase/base';
import type { Binding, KernelTarget } from '../commands/plan.ts';

/*
 * An adapter binds at most `maxBindingBytes` of a buffer, at offsets that are multiples of `offsetAlignment`. A larger
 * buffer is bound slice by slice, in one dispatch after another.
 */

/** The elements of a buffer that one dispatch binds. */
export interface BindingSlice {
  /** First element. */
  readonly first: number;
  /** Number of elements. */
  readonly count: number;
  /** The slice of the buffer of that name. */
  readonly of: (buffer: string) => Binding;
}

/** Throws `kernel/shape` for a number of elements that is no whole number. */
function checkCount(count: number): void {
  if (Number.isSafeInteger(count) && count >= 0) return;
  throw new ConvbaseError('kernel/shape', `there are no ${String(count)} elements`, {
    fix: 'Sizes are whole numbers.',
  });
}

/** Splits `count` elements into slices that fit a binding and start at legal offsets. */
export function bindingSlices(count: number, target: KernelTarget, bytesPerElement = 4): BindingSlice[] {
  const most =
    Math.max(1, Math.floor(target.maxBindingBytes / target.offsetAlignment)) * target.offsetAlignment;
  const step = Math.floor(most / bytesPerElement);
  checkCount(count);
  const slices: BindingSlice[] = [];
  for (let first = 0; first < count; first += step) {
    const length = Math.min(step, count - first);
    const offset = first * bytesPerElement;
    const size = length * bytesPerElement;
    slices.push({
      first,
      count: length,
      of: (buffer) => (count <= step ? buffer : { buffer, offset, size }),
    });
  }
  return slices;
}

/**
 * Slices of `count` floats for shaders that see them as `array<vec4f>`: as `bindingSlices`, with the binding's size
 * rounded up to whole vectors. What follows the last float is padding of the buffer.
 */
export function vec4Slices(count: number, target: KernelTarget): BindingSlice[] {
  checkCount(count);
  return bindingSlices(Math.ceil(count / 4), target, 16).map((slice) => {
    const first = 4 * slice.first;
    return {
      first,
      count: Math.min(4 * slice.count, count - first),
      of: (buffer) => ({ buffer, offset: 4 * first, size: 16 * slice.count }),
    };
  });
}

/** A slice of one tensor together with a slice of another that it needs. */
export interface SlicePair {
  readonly output: BindingSlice;
  readonly input: BindingSlice;
  /** No earlier pair has the same output: the dispatch starts a new result instead of continuing one. */
  readonly isFirst: boolean;
  /** No later pair has the same output: the dispatch completes the result. */
  readonly isLast: boolean;
}

/**
 * Slices of an output and an input that differ in shape.
 *
 * Both are split by `bindingSlices`, wherever that may cut. Each output slice is paired with every input slice that holds
 * something for it, one after the other. A thread skips the elements that are not in the present input slice, and
 * continues from what the dispatch before it left in the output. `inputRange` says which input elements `[from, to)` the
 * output elements `[first, end)` may need; it may say too many. Where everything fits into one binding this is one pair.
 */
export function slicePairs(
  outputs: readonly BindingSlice[],
  inputs: readonly BindingSlice[],
  inputRange: (first: number, end: number) => readonly [from: number, to: number],
): SlicePair[] {
  return outputs.flatMap((output) => {
    const [from, to] = inputRange(output.first, output.first + output.count);
    const needed = inputs.filter((input) => input.first < to && input.first + input.count > from);
    // An output that needs nothing is written all the same.
    const paired = needed.length > 0 ? needed : inputs.slice(0, 1);
    return paired.map((input, i) => ({ output, input, isFirst: i === 0, isLast: i === paired.length - 1 }));
  });
}

/** Some floats of a buffer as a binding. */
export interface FloatSlice {
  readonly binding: Binding;
  /** The first float of the binding, in the buffer. */
  readonly start: number;
  /** Floats of the binding before the first wanted one. */
  readonly offset: number;
}

/** A binding that holds `count` floats from `first` on: it starts at the last legal offset before them. */
export function floatSlice(
  buffer: string,
  first: number,
  count: number,
  whole: boolean,
  target: KernelTarget,
): FloatSlice {
  if (whole) return { binding: buffer, start: 0, offset: first };
  const offset = Math.floor((4 * first) / target.offsetAlignment) * target.offsetAlignment;
  return {
    binding: { buffer, offset, size: 4 * (first + count) - offset },
    start: offset / 4,
    offset: first - offset / 4,
  };
}
