import type { Gpu } from '@convbase/core-gpu';
import { SGD, splitFrozen } from '@convbase/layers';
import { cachedPrefix } from '@convbase/training';
import type { CachedEpochTask } from '../../protocol.ts';
import type { OnGpu } from './convbase.ts';
import { folderOf } from './extract.ts';
import { modelOf } from './model.ts';

/** What `convbase finetune` does in every epoch but the first: rows of the frozen part's outputs, the rest trained. */
export async function prepareCachedEpoch(gpu: Gpu, task: CachedEpochTask): Promise<OnGpu> {
  const model = await modelOf(task.materials, gpu);
  model.unfreezeFrom(task.trainableFrom);
  const split = splitFrozen(model);
  if (split === null) throw new Error(`nothing is frozen before ${task.trainableFrom}`);
  const { scratch } = task.materials;
  if (scratch === undefined) throw new Error('the task comes without a folder to keep outputs in');
  const rows = await cachedPrefix(split.prefix.to(gpu), await folderOf(task), { folder: scratch });
  const suffix = split.suffix.to(gpu);
  suffix.compile({
    optimizer: new SGD({ learningRate: task.learningRate, momentum: task.momentum }),
    loss: 'binaryCrossentropy',
  });
  let loss = NaN;
  return {
    run: async () => {
      const { history } = await suffix.fit(rows);
      loss = history['loss']?.[0] ?? NaN;
      await gpu.idle();
    },
    outputs: async () => ({ loss: [loss] }),
  };
}
