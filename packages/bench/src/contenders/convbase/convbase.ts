import { openGpu, type Gpu } from '@convbase/core-gpu';
import { version } from '../../version.ts';
import type { Contender, Prepared, Runner, Task } from '../../protocol.ts';
import { prepareCachedEpoch } from './cached-epoch.ts';
import { prepareConvolution } from './convolution.ts';
import { prepareExtraction } from './extract.ts';
import { prepareForward } from './forward.ts';
import { prepareTraining } from './train.ts';

/** convbase, by what its users call; without what was tuned on this machine, so that results are of convbase alone. */
export const convbase: Contender = {
  name: 'convbase',
  async prepare(task) {
    const gpu = await openGpu({ tuned: false });
    const { outputs, run } = await prepareOn(gpu, task);
    let peak = 0;
    return {
      runner: runnerOf(gpu),
      outputs,
      run: async () => {
        await run();
        const { liveBytes, pooledBytes } = gpu.memory();
        peak = Math.max(peak, liveBytes + pooledBytes);
      },
      peakGpuBytes: () => peak,
    };
  },
};

/** What there is of `Prepared` for each kind of task. */
export type OnGpu = Pick<Prepared, 'run' | 'outputs'>;

function prepareOn(gpu: Gpu, task: Task): Promise<OnGpu> {
  switch (task.kind) {
    case 'forward':
    case 'first-result':
      return prepareForward(gpu, task);
    case 'convolution':
      return prepareConvolution(gpu, task);
    case 'train':
      return prepareTraining(gpu, task);
    case 'extract':
      return prepareExtraction(gpu, task);
    case 'cached-epoch':
      return prepareCachedEpoch(gpu, task);
  }
}

function runnerOf({ adapter }: Gpu): Runner {
  return {
    name: adapter.name,
    kind: adapter.kind === 'gpu' ? 'gpu' : 'software',
    versions: { convbase: version },
  };
}
