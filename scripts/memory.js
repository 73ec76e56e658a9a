/**
 * `node scripts/memory.js`, after `npm run build`: the table of ARCHITECTURE.md, what memory a step takes besides weights.
 * On Dawn's null backend memory is planned for the kernels of a GPU and nothing is computed, so that any machine will do.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGpu } from '@convbase/core-gpu';
import { Dense, Flatten, Model } from '@convbase/layers';
import { applications } from '@convbase/models';
import { transformSync } from 'esbuild';
import { root } from './steps/run.js';

const titles = { vgg16: 'VGG16', inception_v3: 'InceptionV3', resnet50: 'ResNet50' };

/** @typedef {import('../packages/layers/src/testing/memory-bound.ts')} MemoryBound */

/**
 * `trained` are the layers of the base that are trained, below a head of three layers; a prediction has none.
 *
 * @type {readonly (readonly [title: string, name: keyof titles, size: number, batch: number, trained?: number])[]}
 */
const steps = [
  ['prediction', 'vgg16', 150, 4],
  ['prediction', 'vgg16', 150, 8],
  ['prediction', 'vgg16', 224, 4],
  ['prediction', 'inception_v3', 150, 8],
  ['prediction', 'inception_v3', 299, 1],
  ['prediction', 'inception_v3', 299, 8],
  ['prediction', 'resnet50', 224, 8],
  ['block 5 and head tuned', 'vgg16', 150, 4, 4],
  ['all of it trained', 'vgg16', 150, 4, Infinity],
  ['last 12 layers', 'inception_v3', 150, 4, 12],
  ['all of it', 'inception_v3', 150, 4, Infinity],
];

const watchMemory = await readWatchMemory();
console.log('| memory of a step besides weights, in MiB | peak in use | planned |');
console.log('| --- | --- | --- |');
for (const [title, name, size, batch, trained] of steps) {
  const gpu = await openGpu({ backend: 'null', tuned: false });
  const inputShape = /** @type {const} */ ([size, size, 3]);
  const base = await applications[name].create({ weights: null, includeTop: false, inputShape });
  const x = /** @type {const} */ ({
    data: new Uint8Array(batch * size * size * 3),
    shape: [batch, size, size, 3],
    preprocess: 'tf',
  });
  /** @type {() => Promise<unknown>} */
  let step;
  if (trained === undefined) {
    base.to(gpu);
    step = () => base.predictOnBatch(x);
  } else {
    const head = [
      new Flatten(),
      new Dense({ units: 256, activation: 'relu' }),
      new Dense({ units: 1, activation: 'sigmoid' }),
    ];
    const outputs = head.reduce((tensor, layer) => layer.apply(tensor), base.output);
    const model = new Model({ inputs: base.inputs, outputs }).to(gpu);
    model.unfreezeLast(Math.min(trained + head.length, model.layers.length));
    model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy' });
    const batches = [{ x, y: { data: new Uint8Array(batch), shape: [batch] } }];
    step = () => model.fit({ batches: () => batches, batchCount: 1 }, { epochs: 1 });
  }
  await step();
  await step();
  const busiest = watchMemory(gpu);
  await step();
  const figures = [busiest(), gpu.memory().pooledBytes].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  console.log(`| ${titles[name]}, ${size}x${size}, batch ${batch}, ${title} | ${figures.join(' | ')} |`);
  gpu.destroy();
}

/** It belongs to the tests of layers, which are not built. */
async function readWatchMemory() {
  const file = join(root, 'packages/layers/src/testing/memory-bound.ts');
  const { code } = transformSync(readFileSync(file, 'utf8'), { loader: 'ts', format: 'esm' });
  const module = /** @type {MemoryBound} */ (
    await import(`data:text/javascript,${encodeURIComponent(code)}`)
  );
  return module.watchMemory;
}
