import type { FuzzTarget } from '../../../../base/src/testing/fuzz-target.ts';
import { fuzzTargets as bench } from '../../../../bench/src/testing/fuzz-targets.ts';
import { fuzzTargets as coreGpu } from '../../../../core-gpu/src/testing/fuzz-targets.ts';
import { fuzzTargets as data } from '../../../../data/src/testing/fuzz-targets.ts';
import { fuzzTargets as models } from '../../../../models/src/testing/fuzz-targets.ts';
import { fuzzTargets as training } from '../../../../training/src/testing/fuzz-targets.ts';

/** Every reader of convbase with what attacks it; `scratch` is a folder for their files. */
export async function allTargets(scratch: string): Promise<FuzzTarget[]> {
  return [
    ...coreGpu(scratch),
    ...(await data(scratch)),
    ...(await models(scratch)),
    ...(await training(scratch)),
    ...bench(scratch),
  ];
}
