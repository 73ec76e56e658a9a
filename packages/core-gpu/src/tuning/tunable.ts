import type { KernelTarget, Plan } from '../commands/plan.ts';
import type { ProblemShape } from './table.ts';

/** A buffer of a problem. */
export interface ProblemBuffer {
  /** As the plan names it. */
  readonly name: string;
  /** Floats in it. */
  readonly length: number;
}

/** How a candidate runs. */
export interface CandidatePlans {
  /** Buffers that are computed once and kept as long as the weights stay: name to bytes. Read by `each`. */
  readonly kept?: Readonly<Record<string, number>>;
  /** Fills the kept buffers; its time does not count. */
  readonly once?: Plan;
  /** What is timed, and what computes the output. */
  readonly each: Plan;
}

/**
 * A kernel with several ways to do one problem, for the tuner and for the test that walks every way over every shape of
 * the models. A kernel folder exports one for each of its `choose` functions, from `tunable.ts`; `kernels/tunables.ts`
 * lists them.
 */
export interface Tunable<Shape = ProblemShape, Choice extends object = object> {
  /** As in `Problem.kernel`. */
  readonly kernel: string;
  /** All choices that `choose` or the tuner may make for this shape on this target, without duplicates. */
  readonly candidates: (shape: Shape, target: KernelTarget) => readonly Choice[];
  /** What the folder's own rules say when the target has no table: one of the candidates. */
  readonly choose: (shape: Shape, target: KernelTarget) => Choice;
  readonly plans: (shape: Shape, choice: Choice, target: KernelTarget) => CandidatePlans;
  /** Inputs, to be filled with random numbers in [-1, 1). */
  readonly inputs: (shape: Shape) => readonly ProblemBuffer[];
  /** Names of buffers that the plans bind but do not read: given as null. */
  readonly unused?: readonly string[];
  readonly output: (shape: Shape) => ProblemBuffer;
  /** One element of the output, in float64. */
  readonly at: (shape: Shape, inputs: Readonly<Record<string, Float32Array>>, index: number) => number;
  /**
   * Largest error of an element with which a choice may still win, in parts of the output's root mean square:
   * `sumTolerance(terms)` for plain sums, 1e-4 for Winograd.
   */
  readonly tolerance: (shape: Shape, choice: Choice) => number;
}

/**
 * Forgets the types of shape and choice, so that kernels of all kinds stand in one list. Shapes come back to a kernel
 * only out of its own plans (`Plan.problem`), choices only out of its own candidates.
 */
export function anyTunable<Shape, Choice extends object>(tunable: Tunable<Shape, Choice>): Tunable {
  return tunable as unknown as Tunable;
}

/** Choices without repetitions, in the order in which they first occur. */
export function distinct<Choice extends object>(choices: readonly Choice[]): Choice[] {
  const seen = new Map(choices.map((choice) => [JSON.stringify(Object.entries(choice).sort()), choice]));
  return [...seen.values()];
}
