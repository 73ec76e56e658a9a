import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import {
  Activation,
  Add,
  BatchNormalization,
  Conv2D,
  Dense,
  GlobalAveragePooling2D,
  input,
  MaxPooling2D,
  Model,
  Rescaling,
  ZeroPadding2D,
} from '@convbase/layers';
import { loadModel, saveModel } from '@convbase/models';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noise } from '../inputs.ts';
import { relativeDistance } from '../numbers.ts';
import { exportOnnx, onnxOf } from './export.ts';
import { readLayersModel } from './layers-model.ts';

let gpu: Gpu;
let folder: string;
beforeAll(async () => {
  gpu = await openGpu();
  folder = await mkdtemp(join(tmpdir(), 'convbase-onnx-'));
});
afterAll(async () => {
  gpu.destroy();
  await rm(folder, { recursive: true });
});

/** How far what ONNX Runtime computes of the exported model lies from what convbase computes of the model. */
async function distance(model: Model, name: string): Promise<number> {
  const shape = [3, ...(model.inputs[0]?.shape.slice(1) ?? []).map(Number)];
  const data = noise(
    shape.reduce((product, extent) => product * extent, 1),
    7,
  );
  const expected = await model.predict({ data, shape });
  await mkdir(join(folder, name), { recursive: true });
  const json = join(folder, name, 'model.json');
  await saveModel(model, json);
  const file = join(folder, name, 'model.onnx');
  await exportOnnx(json, file);
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  const { y } = await session.run({ x: new Tensor('float32', data, shape) });
  expect(y?.dims).toEqual(expected.shape);
  await session.release();
  return relativeDistance(y?.data as Float32Array, expected.data);
}

test.each(['mini_vgg', 'mini_inception'])('ONNX Runtime computes the same of %s', async (name) => {
  const path = fileURLToPath(new URL(`../../../models/fixtures/golden/${name}.keras`, import.meta.url));
  const model = await loadModel(path, { gpu });
  expect(await distance(model, name)).toBeLessThan(1e-5);
  model.dispose();
});

test('ONNX Runtime computes the same of a residual network with uneven sizes', async () => {
  const x = input({ shape: [13, 10, 3] });
  const padded = new ZeroPadding2D({
    padding: [
      [3, 2],
      [1, 0],
    ],
  }).apply(x);
  const a = new Conv2D({ filters: 8, kernelSize: 5, strides: [2, 3], padding: 'same' }).apply(padded);
  const b = new Activation({ activation: 'relu' }).apply(new BatchNormalization({ scale: false }).apply(a));
  const c = new Conv2D({ filters: 8, kernelSize: [1, 3], padding: 'same', useBias: false }).apply(b);
  const sum = new Activation({ activation: 'relu' }).apply(new Add().apply([a, c]));
  const pooled = new MaxPooling2D({ poolSize: 3, strides: 2, padding: 'same' }).apply(sum);
  const means = new GlobalAveragePooling2D().apply(pooled);
  const model = new Model({
    inputs: x,
    outputs: new Dense({ units: 2, activation: 'softmax' }).apply(means),
  });
  model.to(gpu);
  expect(await distance(model, 'residual')).toBeLessThan(1e-5);
  model.dispose();
});

test('a layer without an operator is refused by name', async () => {
  const x = input({ shape: [4, 4, 3] });
  const model = new Model({ inputs: x, outputs: new Rescaling({ scale: 2, name: 'double' }).apply(x) });
  model.to(gpu);
  await mkdir(join(folder, 'refused'));
  const json = join(folder, 'refused', 'model.json');
  await saveModel(model, json);
  const read = await readLayersModel(json);
  expect(() => onnxOf(read)).toThrow(expect.objectContaining({ code: 'bench/onnx-layer', where: 'double' }));
  model.dispose();
});
