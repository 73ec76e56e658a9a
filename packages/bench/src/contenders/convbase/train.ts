import type { Gpu } from '@convbase/core-gpu';
import { SGD, type Batch, type Dataset } from '@convbase/layers';
import { examples } from '../../inputs.ts';
import type { TrainTask } from '../../protocol.ts';
import type { OnGpu } from './convbase.ts';
import { modelOf } from './model.ts';

/** `fit` for one epoch of `steps` batches. */
export async function prepareTraining(gpu: Gpu, task: TrainTask): Promise<OnGpu> {
  const { learningRate, momentum, trainableFrom } = task;
  const model = await modelOf(task.materials, gpu);
  model.unfreezeFrom(trainableFrom);
  model.compile({ optimizer: new SGD({ learningRate, momentum }), loss: 'binaryCrossentropy' });
  const kernel = model.getWeight(`${trainableFrom}/kernel`);
  const before = Float32Array.from(await kernel.read());
  const dataset = batches(task);
  let loss = NaN;
  return {
    run: async () => {
      const { history } = await model.fit(dataset);
      loss = history['loss']?.[0] ?? NaN;
      await gpu.idle();
    },
    outputs: async () => ({
      loss: [loss],
      update: (await kernel.read()).map((value, i) => value - (before[i] ?? NaN)),
    }),
  };
}

function batches(task: TrainTask): Dataset {
  const { batch, input, steps } = task;
  const { x, labels } = examples(task);
  const size = input.reduce((product, extent) => product * extent, batch);
  const all = Array.from({ length: steps }, (_, i): Batch => ({
    x: { data: x.subarray(i * size, (i + 1) * size), shape: [batch, ...input] },
    y: { data: labels.subarray(i * batch, (i + 1) * batch), shape: [batch, 1] },
  }));
  return { batches: (_epoch, first = 0) => all.slice(first), batchCount: steps, sampleCount: steps * batch };
}
