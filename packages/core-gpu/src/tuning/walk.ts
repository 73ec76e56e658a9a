import type { KernelTarget } from '../commands/plan.ts';
import type { Gpu } from '../device/gpu.ts';
import { differenceOf, randomInputs, sampledError } from './check.ts';
import { ProblemBuffers } from './problem-buffers.ts';
import { untuned, type ProblemShape } from './table.ts';
import type { Tunable } from './tunable.ts';

/** What a candidate's result is off by, and by how much it may be. */
export interface WalkedCandidate {
  readonly choice: object;
  /** Largest error in parts of the result's root mean square; NaN where an element was not written. */
  readonly error: number;
  readonly tolerance: number;
}

/**
 * Runs every candidate for a shape and says how far off each is: the rules' own, which comes first, at elements spread over
 * its result from float64, the others from all of that result. What `tuneProblem` does without the times, for tests.
 *
 * @param target may be of another kind than the GPU's own, to walk the kernels that real GPUs get on a software adapter
 */
export async function walkCandidates(
  gpu: Gpu,
  tunable: Tunable,
  shape: ProblemShape,
  target: KernelTarget,
): Promise<WalkedCandidate[]> {
  const rule = tunable.choose(shape, untuned(gpu.target));
  const inputs = randomInputs(tunable, shape);
  const buffers = new ProblemBuffers(gpu, tunable, shape, inputs);
  const walked: WalkedCandidate[] = [];
  const resultOf = async (choice: object, on: KernelTarget): Promise<Float32Array> => {
    buffers.spoil();
    const plans = tunable.plans(shape, choice, untuned(on));
    const kept = buffers.keep(plans);
    try {
      kept.run(plans);
      return await buffers.output();
    } finally {
      kept.release();
    }
  };
  try {
    const reference = await resultOf(rule, gpu.target);
    const bound = tunable.tolerance(shape, rule);
    walked.push({
      choice: rule,
      error: sampledError(tunable, shape, inputs, reference),
      tolerance: bound,
    });
    for (const choice of tunable.candidates(shape, untuned(target))) {
      const error = differenceOf(reference, await resultOf(choice, target));
      walked.push({ choice, error, tolerance: bound + tunable.tolerance(shape, choice) });
    }
    return walked;
  } finally {
    buffers.release();
  }
}
