import { pictures } from '../../inputs.ts';
import type { FirstResultTask, ForwardTask, Prepared } from '../../protocol.ts';
import { material } from '../material.ts';
import type { Backend } from './backend.ts';
import { loadModel } from './load-model.ts';
import type { Tensor } from './modules.ts';

/** A batch through a network: pictures from the host, features back to it. */
export async function prepareForward(
  backend: Backend,
  task: ForwardTask | FirstResultTask,
): Promise<Omit<Prepared, 'runner'>> {
  const { tf, tfl } = backend;
  const model = await loadModel(tfl, material(task, 'model'));
  const { batch, size } = task;
  const values = pictures(task);
  let features: Float32Array = new Float32Array();
  return {
    async run() {
      const x = tf.tensor4d(values, [batch, size, size, 3]);
      const y = model.predict(x, { batchSize: batch }) as Tensor;
      features = (await y.data()) as Float32Array;
      tf.dispose([x, y]);
    },
    outputs: async () => ({ features }),
  };
}
