import type { Gpu } from '@convbase/core-gpu';
import { pictures } from '../../inputs.ts';
import type { FirstResultTask, ForwardTask } from '../../protocol.ts';
import type { OnGpu } from './convbase.ts';
import { modelOf } from './model.ts';

/** A batch through a network: floats go up, features come back. */
export async function prepareForward(gpu: Gpu, task: ForwardTask | FirstResultTask): Promise<OnGpu> {
  const { batch, size, materials } = task;
  const model = await modelOf(materials, gpu);
  const x = { data: pictures(task), shape: [batch, size, size, 3] };
  let features: ArrayLike<number> = [];
  return {
    run: async () => {
      const [output] = await model.predictOnBatch(x);
      features = output?.data ?? [];
    },
    outputs: async () => ({ features }),
  };
}
