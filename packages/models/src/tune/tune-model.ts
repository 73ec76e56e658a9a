import { tuneProblem, type Gpu, type TunedProblem } from '@convbase/core-gpu';
import type { Model } from '@convbase/layers';
import { randomBatch } from '../profile/random-batch.ts';
import { problemsOf, type ModelProblem } from './problems-of.ts';

export interface TuneModelOptions {
  /** Pictures at once; other numbers of pictures are other problems. Default 1. */
  readonly batchSize?: number;
  /** Also the problems of a training step; the model must have been compiled. Default false. */
  readonly train?: boolean;
  /** How often each candidate is timed. Default 5. */
  readonly rounds?: number;
  /** Problems with a smaller part of the model's arithmetic are left to the rules. Default 0.001. */
  readonly leastShare?: number;
  /** Says of a problem that it need not be measured. */
  readonly skip?: (key: string) => boolean;
  readonly signal?: AbortSignal;
  /** Told before each problem. */
  readonly onProblem?: (problem: ModelProblem, done: number, total: number) => void;
}

/** A problem of a model with what tuning found out about it. */
export interface TunedModelProblem extends TunedProblem {
  /** The layers that have it, one for each time it runs. */
  readonly layers: readonly string[];
}

/**
 * Times every way of doing what a model does on this GPU, problem by problem, and hands out each as soon as it is known.
 *
 * @param gpu opened with `profile: 'events'`, so that the GPU's own clock counts, and `tuned: false`
 * @param model with a known input size; with any weights
 * @throws ConvbaseError `profile/shape` for an input of open size, and those of `tuneProblem`
 */
export async function* tuneModel(
  gpu: Gpu,
  model: Model,
  options: TuneModelOptions = {},
): AsyncGenerator<TunedModelProblem> {
  const { batchSize = 1, train = false, rounds, leastShare = 1e-3, skip, signal, onProblem } = options;
  const found = await problemsOf(gpu, model, randomBatch(model, batchSize), train);
  const least = leastShare * found.reduce((sum, { flops }) => sum + flops, 0);
  const problems = found.filter(({ key, flops }) => flops >= least && skip?.(key) !== true);
  for (const [done, each] of problems.entries()) {
    signal?.throwIfAborted();
    onProblem?.(each, done, problems.length);
    const tuned = await tuneProblem(gpu, each.problem, {
      ...(rounds === undefined ? {} : { rounds }),
      ...(signal === undefined ? {} : { signal }),
    });
    yield { ...tuned, layers: each.layers };
  }
}
