import type { FuzzTarget } from '../../../base/src/testing/fuzz-target.ts';
import { bestWeightsTarget } from './fuzz-targets/best-weights.ts';
import { checkpointTarget } from './fuzz-targets/checkpoint.ts';
import { historyTarget } from './fuzz-targets/history.ts';
import { lockTarget } from './fuzz-targets/lock.ts';
import { prefixTarget } from './fuzz-targets/prefix.ts';
import { recipeTarget } from './fuzz-targets/recipe.ts';
import { runTarget } from './fuzz-targets/run.ts';

/** The readers of this package; `scratch` is a folder for their files. */
export async function fuzzTargets(scratch: string): Promise<FuzzTarget[]> {
  return [
    recipeTarget(),
    await checkpointTarget(scratch),
    bestWeightsTarget(scratch),
    runTarget(scratch),
    historyTarget(),
    prefixTarget(scratch),
    await lockTarget(scratch),
  ];
}
