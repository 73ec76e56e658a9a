import type { Gpu } from '@convbase/core-gpu';
import type { Model } from '@convbase/layers';
import { loadModel } from '@convbase/models';
import type { Materials } from '../../protocol.ts';

/** The task's model on the GPU. */
export async function modelOf({ model }: Materials, gpu: Gpu): Promise<Model> {
  if (model === undefined) throw new Error('the task comes without a model');
  return loadModel(model, { gpu });
}
