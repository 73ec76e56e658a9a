import { ConvbaseError } from '@convbase/base';
import type { Binding, KernelTarget } from '../commands/plan.ts';

/**
 * Workgroups for `threads` threads in one line, folded over x and y where one dimension is not enough.
 * The shader's index is `(wid.y * nwg.x + wid.x) * WORKGROUP + lid`; threads past the end return.
 */
export function grid1d(threads: number, workgroup: number, target: KernelTarget): [number, number, number] {
  const groups = Math.max(1, Math.ceil(threads / workgroup));
  const x = Math.min(groups, target.maxGrid);
  return [x, Math.ceil(groups / x), 1];
}

/** A stretch of elements that fits into one binding. */
export interface ElementWindow {
  /** First element. */
  readonly first: number;
  /** Number of elements. */
  readonly count: number;
  /** The stretch of the buffer of that name. */
  readonly of: (buffer: string) => Binding;
}

/** Throws `kernel/shape` for a number of elements that is no whole number. */
export function checkCount(count: number): void {
  if (Number.isSafeInteger(count) && count >= 0) return;
  throw new ConvbaseError('kernel/shape', `there are no ${String(count)} elements`, {
    fix: 'Sizes are whole numbers.',
  });
}

/** Cuts `count` elements into stretches that fit a binding and start at legal offsets. */
export function elementWindows(count: number, target: KernelTarget, bytesPerElement = 4): ElementWindow[] {
  const most =
    Math.max(1, Math.floor(target.maxBindingBytes / target.offsetAlignment)) * target.offsetAlignment;
  const step = Math.floor(most / bytesPerElement);
  checkCount(count);
  const windows: ElementWindow[] = [];
  for (let first = 0; first < count; first += step) {
    const length = Math.min(step, count - first);
    const offset = first * bytesPerElement;
    const size = length * bytesPerElement;
    windows.push({
      first,
      count: length,
      of: (buffer) => (count <= step ? buffer : { buffer, offset, size }),
    });
  }
  return windows;
}
