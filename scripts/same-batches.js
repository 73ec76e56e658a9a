/**
 * `node scripts/same-batches.js FOLDER`: trains what `scripts/keras/same_batches.py` has trained, from the same model on
 * the same batches in the same order, and compares. After `npm run build`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGpu } from '@convbase/core-gpu';
import { ensureDriver } from '@convbase/driver';
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

const picture = model.input.shape.slice(1).map(Number);
const train = batches(folder, 'train');
const trained = await model.fit(
  {
    batchCount: steps,
    batches: (epoch, first = 0) => train.slice(epoch * steps + first, (epoch + 1) * steps),
  },
  { epochs, verbose: 1 },
);
const test = batches(folder, 'test');
const { loss, accuracy } = await model.evaluate({ batches: () => test });
/** @type {number[]} */
const outputs = [];
for await (const predicted of model.predictBatches({ batches: () => test })) {
  for (const { data } of predicted.outputs) outputs.push(...data);
}
gpu.destroy();

const losses = trained.history['loss'] ?? [];
const result = { adapter: gpu.adapter.name, loss: losses, testLoss: loss, testAccuracy: accuracy, outputs };
writeFileSync(join(folder, 'convbase.json'), `${JSON.stringify(result, null, 1)}\n`);
const largest = outputs.reduce((most, value, i) => Math.max(most, Math.abs(value - keras.outputs[i])), 0);
console.log(`${' '.repeat(23)}Keras    convbase`);
for (const [i, value] of losses.entries()) row(`loss, epoch ${i + 1}`, keras.loss[i], value);
row('test loss', keras.testLoss, loss);
row('test accuracy', keras.testAccuracy, accuracy);
console.log(`largest difference of a prediction: ${largest.toExponential(1)}`);

/**
 * @param {string} name
 * @param {number} theirs
 * @param {number | undefined} ours
 */
function row(name, theirs, ours = NaN) {
  console.log(`${name.padEnd(16)}${theirs.toFixed(6).padStart(12)}${ours.toFixed(6).padStart(12)}`);
}

/**
 * The batches of a part, as `fit` takes them.
 *
 * @param {string} folder
 * @param {'train' | 'test'} part
 */
function batches(folder, part) {
  const [x, y] = [floats(join(folder, `${part}.x`)), floats(join(folder, `${part}.y`))];
  const size = picture.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: y.length / batch }, (_, i) => ({
    x: { data: x.subarray(i * batch * size, (i + 1) * batch * size), shape: [batch, ...picture] },
    y: { data: y.subarray(i * batch, (i + 1) * batch), shape: [batch, 1] },
  }));
}

/** @param {string} path */
function floats(path) {
  const { buffer, byteOffset, length } = readFileSync(path);
  return new Float32Array(buffer, byteOffset, length / 4);
}
