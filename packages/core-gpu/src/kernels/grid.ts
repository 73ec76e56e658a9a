import type { KernelTarget } from '../commands/plan.ts';

/** Threads of a workgroup where each thread works by itself. */
export const FLAT_WORKGROUP = 64;

/**
 * Workgroups for `threads` threads in one line, folded over x and y where one dimension is not enough.
 * The shader's index is `(wid.y * nwg.x + wid.x) * WORKGROUP + lid`; threads past the end return.
 */
export function grid1d(threads: number, workgroup: number, target: KernelTarget): [number, number, number] {
  const groups = Math.max(1, Math.ceil(threads / workgroup));
  const x = Math.min(groups, target.maxGrid);
  return [x, Math.ceil(groups / x), 1];
}
