/**
 * `node scripts/same-batches.js FOLDER`: trains what `scripts/keras/same_batches.py` has trained, from the same model on
 * the same batches in the same order, and compares. After `npm run build`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGpu } from '@convbase/core-gpu';
import { ensureDriver } from '@convbase/core-gpu/node';
import { SGD } from '@convbase/layers';
import { loadModel } from '@convbase/models';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node scripts/same-batches.js FOLDER');
  process.exit(2);
}
const keras = JSON.parse(readFileSync(join(folder, 'keras.json'), 'utf8'));
const { batch, epochs, steps, trainable } = keras;
const { name: optimizer, learningRate } = keras.optimizer;
if (optimizer !== 'sgd') throw new Error(`this script trains with sgd, not with ${optimizer}`);

await ensureDriver();
const gpu = await openGpu();
const model = await loadModel(join(folder, 'initial.keras'), { gpu });
for (const layer of model.layers) layer.trainable = trainable.includes(layer.name);
model.compile({ optimizer: new SGD({ learningRate }), loss: 'binaryCrossentropy', metrics: ['accuracy'] });

const picture = model.input.shape.slice(1);
const train = batches('train');
const { history } = await model.fit(
  {
    batchCount: steps,
    batches: (epoch, first = 0) => train.slice(epoch * steps + first, (epoch + 1) * steps),
  },
  { epochs, verbose: 1 },
);
const test = batches('test');
const { loss, accuracy } = await model.evaluate({ batches: () => test });
const outputs = [];
for await (const {
  outputs: [part],
} of model.predictBatches({ batches: () => test }))
  outputs.push(...part.data);
gpu.destroy();

const result = {
  adapter: gpu.adapter.name,
  loss: history.loss,
  testLoss: loss,
  testAccuracy: accuracy,
  outputs,
};
writeFileSync(join(folder, 'convbase.json'), `${JSON.stringify(result, null, 1)}\n`);
const largest = Math.max(...outputs.map((value, i) => Math.abs(value - keras.outputs[i])));
const row = (name, a, b) =>
  console.log(`${name.padEnd(16)}${a.toFixed(6).padStart(12)}${b.toFixed(6).padStart(12)}`);
console.log(`${' '.repeat(23)}Keras    convbase`);
keras.loss.forEach((value, i) => row(`loss, epoch ${i + 1}`, value, history.loss[i]));
row('test loss', keras.testLoss, loss);
row('test accuracy', keras.testAccuracy, accuracy);
console.log(`largest difference of a prediction: ${largest.toExponential(1)}`);

/** The batches of a part, as `fit` takes them. */
function batches(part) {
  const [x, y] = ['x', 'y'].map((name) => {
    const { buffer, byteOffset, length } = readFileSync(join(folder, `${part}.${name}`));
    return new Float32Array(buffer, byteOffset, length / 4);
  });
  const size = picture.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: y.length / batch }, (_, i) => ({
    x: { data: x.subarray(i * batch * size, (i + 1) * batch * size), shape: [batch, ...picture] },
    y: { data: y.subarray(i * batch, (i + 1) * batch), shape: [batch, 1] },
  }));
}
