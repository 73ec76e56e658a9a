import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { loadModel, saveModel, tfjsFiles } from '@convbase/models';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

// One module graph: tfjs' ES modules and its CommonJS build would each have their own backend registry.
const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');
const layers = require('@tensorflow/tfjs-layers') as typeof import('@tensorflow/tfjs-layers');
// The CPU's backend comes with the one for WebGPU.
createRequire(require.resolve('@tensorflow/tfjs-backend-webgpu'))('@tensorflow/tfjs-backend-cpu');

interface ModelJson {
  readonly modelTopology: object;
  readonly weightsManifest: readonly [{ readonly paths: string[]; readonly weights: WeightSpec[] }];
}
type WeightSpec = import('@tensorflow/tfjs-core').io.WeightsManifestEntry;

type Files = Awaited<ReturnType<typeof tfjsFiles>>;

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../models/fixtures/${name}.keras`, import.meta.url));

/** Opens the files of a model in TensorFlow.js as it would fetch them from a server. */
function openInTfjs(files: Files): Promise<import('@tensorflow/tfjs-layers').LayersModel> {
  const bytes = (name: string): Uint8Array => new Uint8Array(files[name] ?? new ArrayBuffer(0));
  const json = JSON.parse(new TextDecoder().decode(bytes('model.json'))) as ModelJson;
  const [{ paths, weights }] = json.weightsManifest;
  const weightData = Buffer.concat(paths.map(bytes));
  return layers.loadLayersModel({
    load: () =>
      Promise.resolve({
        modelTopology: json.modelTopology,
        weightSpecs: weights,
        weightData: new Uint8Array(weightData).buffer,
      }),
  });
}

let gpu: Gpu;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-tfjs-'));
});
afterEach(() => rm(folder, { recursive: true }));
beforeAll(async () => {
  await tf.setBackend('cpu');
  gpu = await openGpu();
});
afterAll(() => {
  gpu.destroy();
});

test.each(['golden/mini_vgg', 'golden/mini_inception', 'nested', 'nested_twice'])(
  'TensorFlow.js loads %s and predicts the same',
  async (name) => {
    const model = await loadModel(fixture(name), { gpu });
    const shape = [3, ...(model.inputs[0]?.shape.slice(1) ?? []).map(Number)];
    const size = shape.reduce((product, extent) => product * extent, 1);
    const data = Float32Array.from({ length: size }, (_, i) => Math.sin(i * i));
    const expected = await model.predict({ data, shape });

    // In memory, and from a folder in which there was another model before.
    await saveModel(await loadModel(fixture('golden/mini_vgg')), join(folder, 'model.json'));
    await saveModel(model, join(folder, 'model.json'));
    const names = await readdir(folder);
    const saved = await Promise.all(names.map(async (file) => [file, await readFile(join(folder, file))]));
    const inMemory = await openInTfjs(await tfjsFiles(model));
    const theirs = await openInTfjs(Object.fromEntries(saved) as Files);
    expect(await inMemory.weights[0]?.read().data()).toEqual(await theirs.weights[0]?.read().data());
    const y = theirs.predict(tf.tensor(data, shape)) as import('@tensorflow/tfjs-core').Tensor;
    const actual = await y.data();
    expect(y.shape).toEqual(expected.shape);
    let difference = 0;
    let norm = 0;
    for (const [i, value] of expected.data.entries()) {
      difference += ((actual[i] ?? NaN) - value) ** 2;
      norm += value ** 2;
    }
    expect(Math.sqrt(difference / norm)).toBeLessThan(1e-5);
    model.dispose();
  },
);
