import { examples } from '../../inputs.ts';
import type { Prepared, TrainTask } from '../../protocol.ts';
import { material } from '../material.ts';
import type { Backend } from './backend.ts';
import { loadModel } from './load-model.ts';
import type { Core, Model, Scalar, Tensor, Variable } from './modules.ts';

/**
 * Training steps, without what would slow TensorFlow.js down: losses are read once at the end, the batches lie on the
 * device from the start.
 */
export async function prepareTrain(backend: Backend, task: TrainTask): Promise<Omit<Prepared, 'runner'>> {
  const { tf, tfl } = backend;
  const model = await loadModel(tfl, material(task, 'model'));
  freeze(model, task.trainableFrom);
  const optimizer = tf.train.momentum(task.learningRate, task.momentum);
  const batches = onDevice(tf, task);
  const variables = model.trainableWeights.map((weight) => weight.read() as unknown as Variable);

  const step = ({ x, labels }: Batch): Tensor => {
    const loss = (): Scalar => {
      const y = model.apply(x, { training: true }) as Tensor;
      return tf.mean(tfl.metrics.binaryCrossentropy(labels, y));
    };
    const cost = optimizer.minimize(loss, true, variables);
    if (cost === null) throw new Error('the optimizer gave no loss');
    return cost;
  };

  const kernel = (): Tensor => model.getLayer(task.trainableFrom).getWeights()[0] ?? tf.scalar(NaN);
  const before = await kernel().data();
  let first: { loss: number[]; update: Float32Array } | undefined;
  return {
    async run() {
      const losses = batches.map(step);
      await backend.drain();
      const values = await Promise.all(losses.map(async (loss) => (await loss.data())[0] ?? NaN));
      tf.dispose(losses);
      if (first !== undefined) return;
      const after = await kernel().data();
      first = {
        loss: [values.reduce((sum, value) => sum + value, 0) / values.length],
        update: Float32Array.from(after, (value, i) => value - (before[i] ?? NaN)),
      };
    },
    outputs: async () => ({ ...first }),
  };
}

interface Batch {
  readonly x: Tensor;
  readonly labels: Tensor;
}

function onDevice(tf: Core, task: TrainTask): Batch[] {
  const { x, labels } = examples(task);
  const size = x.length / (task.steps * task.batch);
  return Array.from({ length: task.steps }, (_, step) => {
    const [from, to] = [step * task.batch, (step + 1) * task.batch];
    return {
      x: tf.tensor(x.subarray(from * size, to * size), [task.batch, ...task.input]),
      labels: tf.tensor(labels.subarray(from, to), [task.batch, 1]),
    };
  });
}

/**
 * Freezes what comes before a layer as Keras means it. In TensorFlow.js a frozen batch normalisation would go on using
 * the statistics of the batch.
 */
function freeze(model: Model, trainableFrom: string): void {
  const first = model.layers.findIndex(({ name }) => name === trainableFrom);
  if (first < 0) throw new Error(`the model has no layer "${trainableFrom}"`);
  for (const layer of model.layers.slice(0, first)) {
    layer.trainable = false;
    if (layer.getClassName() !== 'BatchNormalization') continue;
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: false });
  }
}
