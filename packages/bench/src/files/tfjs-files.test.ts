import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { loadModel, tfjsFiles } from '@convbase/models';
import { afterAll, beforeAll, expect, test } from 'vitest';

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

/** Opens the files of a model in TensorFlow.js as it would fetch them from a server. */
function openInTfjs(
  files: Awaited<ReturnType<typeof tfjsFiles>>,
): Promise<import('@tensorflow/tfjs-layers').LayersModel> {
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
    const path = fileURLToPath(new URL(`../../../models/fixtures/${name}.keras`, import.meta.url));
    const model = await loadModel(path, { gpu });
    const shape = [3, ...(model.inputs[0]?.shape.slice(1) ?? []).map(Number)];
    const size = shape.reduce((product, extent) => product * extent, 1);
    const data = Float32Array.from({ length: size }, (_, i) => Math.sin(i * i));
    const expected = await model.predict({ data, shape });

    const theirs = await openInTfjs(await tfjsFiles(model));
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
