import { openGpu, type Gpu } from '@convbase/core-gpu';
import { Model } from '@convbase/layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashWeights } from '../hash/index.ts';
import { applications } from './applications.ts';

const MEBIBYTE = 2 ** 20;

let gpu: Gpu;
beforeAll(async () => {
  // What a browser grants by default, and all that llvmpipe has.
  gpu = await openGpu({ bindingLimit: 128 * MEBIBYTE });
});
afterAll(() => {
  gpu.destroy();
});

function fillWithHash(model: Model): void {
  for (const weight of model.weights) weight.assign(hashWeights(weight.path, weight.shape));
}

function picture(count: number, size: number): Uint8Array {
  return Uint8Array.from({ length: count * size * size * 3 }, (_, i) => (i * 2654435761) >>> 24);
}

describe('VGG16 where a binding holds 128 MiB', () => {
  it('runs with its top, whose first dense kernel takes 392 MiB', async () => {
    const whole = await applications.vgg16.create({ weights: null });
    fillWithHash(whole);
    const kernel = hashWeights('fc1/kernel', [25088, 4096]);
    const bias = hashWeights('fc1/bias', [4096]);
    expect(kernel.byteLength).toBe(392 * MEBIBYTE);
    const outputs = ['flatten', 'fc1', 'predictions'].map((name) => whole.getLayer(name).output);
    const model = new Model({ inputs: whole.inputs, outputs }).to(gpu);
    const x = { data: picture(1, 224), shape: [1, 224, 224, 3], preprocess: 'caffe' } as const;
    const [flat, fc1, predictions] = (await model.predictOnBatch(x)).map(({ data }) => data);
    if (!flat || !fc1 || !predictions) throw new Error('three outputs were wanted');
    // Units from both ends and the middle, against sums in float64.
    for (const unit of [0, 1, 2047, 2048, 4095]) {
      let sum = bias[unit] ?? NaN;
      let magnitude = 0;
      for (let i = 0; i < flat.length; i++) {
        const product = (flat[i] ?? NaN) * (kernel[i * 4096 + unit] ?? NaN);
        sum += product;
        magnitude += Math.abs(product);
      }
      const tolerance = 4 * Math.sqrt(flat.length) * 2 ** -23 * magnitude;
      expect(Math.abs((fc1[unit] ?? NaN) - Math.max(sum, 0))).toBeLessThanOrEqual(tolerance);
    }
    expect(fc1.some((value) => value > 0)).toBe(true);
    expect(Array.from(predictions).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
    model.dispose();
    expect(gpu.memory().liveBuffers).toBe(0);
    gpu.trim();
  }, 300_000);

  it('runs batch 32 at 180x180, whose first activations take 253 MiB', async () => {
    const whole = await applications.vgg16.create({ weights: null, includeTop: false });
    fillWithHash(whole);
    const model = new Model({ inputs: whole.inputs, outputs: [whole.getLayer('block1_pool').output] }).to(
      gpu,
    );
    const data = picture(32, 180);
    const one = 180 * 180 * 3;
    const batch = await model.predict({ data, shape: [32, 180, 180, 3], preprocess: 'caffe' });
    expect(batch.shape).toEqual([32, 90, 90, 64]);
    const perPicture = 90 * 90 * 64;
    for (const index of [0, 15, 16, 31]) {
      const alone = await model.predict({
        data: data.slice(index * one, (index + 1) * one),
        shape: [1, 180, 180, 3],
        preprocess: 'caffe',
      });
      const within = batch.data.subarray(index * perPicture, (index + 1) * perPicture);
      let difference = 0;
      let norm = 0;
      alone.data.forEach((value, i) => {
        difference += ((within[i] ?? NaN) - value) ** 2;
        norm += value ** 2;
      });
      expect(Math.sqrt(difference / norm)).toBeLessThan(1e-6);
    }
    model.dispose();
    expect(gpu.memory().liveBuffers).toBe(0);
  }, 300_000);
});
