import type { KernelTarget, Plan } from '../commands/plan.ts';

/** One version of a kernel, from the naive to the one in use. */
export interface Rung {
  readonly name: string;
  readonly plan: (target: KernelTarget) => Plan;
  /** Where this version can run at all, if not everywhere: subgroups of one size, say. */
  readonly runsOn?: (target: KernelTarget) => boolean;
}

/** The versions of one kernel on one problem, all with the same inputs and the same expected output. */
export interface Ladder {
  readonly kernel: string;
  /** The problem in words, with its sizes. */
  readonly problem: string;
  /** Input buffers by name and their number of floats. */
  readonly inputs: Readonly<Record<string, number>>;
  /** The output buffer by name and its number of floats. */
  readonly output: { readonly name: string; readonly length: number };
  readonly rungs: readonly Rung[];
}
