import type { Gpu } from '@convbase/core-gpu';
import { imageFolder, pictureBatches, type PictureDataset } from '@convbase/data';
import type { ExtractTask, Materials } from '../../protocol.ts';
import type { OnGpu } from './convbase.ts';
import { modelOf } from './model.ts';

/** Decoding on worker threads, the network on the GPU, both at once. */
export async function prepareExtraction(gpu: Gpu, task: ExtractTask): Promise<OnGpu> {
  const model = await modelOf(task.materials, gpu);
  const dataset = await folderOf(task);
  let features = new Float32Array();
  return {
    run: async () => {
      const parts: ArrayLike<number>[] = [];
      for await (const { outputs } of model.predictBatches(dataset)) parts.push(outputs[0]?.data ?? []);
      features = joined(parts);
    },
    outputs: async () => ({ features }),
  };
}

/** The task's pictures as batches: nearest neighbour, x / 127.5 - 1. */
export async function folderOf(task: {
  readonly size: number;
  readonly batch: number;
  readonly materials: Materials;
}): Promise<PictureDataset> {
  const { size, batch, materials } = task;
  if (materials.pictures === undefined) throw new Error('the task comes without pictures');
  return pictureBatches(await imageFolder(materials.pictures), {
    size: { height: size, width: size },
    batchSize: batch,
    preprocess: 'tf',
  });
}

function joined(parts: readonly ArrayLike<number>[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
