import type { Gpu } from '@convbase/core-gpu';
import { SGD, splitFrozen, type Batch, type Dataset } from '@convbase/layers';
import { cachedPrefix } from '@convbase/training';
import type { CachedEpochTask } from '../../protocol.ts';
import type { OnGpu } from './convbase.ts';
import { folderOf } from './extract.ts';
import { modelOf } from './model.ts';

/**
 * What `convbase finetune` does in every epoch but the first: rows of the frozen part's outputs, the rest trained. Or the
 * same steps from batches that wait in memory: what the trained part takes by itself.
 */
export async function prepareCachedEpoch(gpu: Gpu, task: CachedEpochTask): Promise<OnGpu> {
  const model = await modelOf(task.materials, gpu);
  model.unfreezeFrom(task.trainableFrom);
  const split = splitFrozen(model);
  if (split === null) throw new Error(`nothing is frozen before ${task.trainableFrom}`);
  const { scratch } = task.materials;
  if (scratch === undefined) throw new Error('the task comes without a folder to keep outputs in');
  const kept = await cachedPrefix(split.prefix.to(gpu), await folderOf(task), { folder: scratch });
  const rows = task.outputs === 'kept' ? kept : await inMemory(kept);
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

/** A dataset's first epoch, read once. */
async function inMemory(dataset: Dataset): Promise<Dataset> {
  const all: Batch[] = [];
  for await (const batch of dataset.batches(0)) all.push(batch);
  return { ...dataset, batches: (_epoch, first = 0) => all.slice(first) };
}
