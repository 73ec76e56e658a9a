import { describe, expect, it } from 'vitest';
import { inputsOf } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { classifier, rings } from '../testing/rings.ts';

describe('predict', () => {
  const gpu = withGpu();

  it('joins batches, hands them out one by one, and stops early without a trace', async () => {
    const model = classifier().to(gpu());
    const dataset = rings(10, 4);
    const all = await model.predict(dataset);
    expect(all.shape).toEqual([10, 1]);
    const sizes: number[] = [];
    for await (const { batch, outputs } of model.predictBatches(dataset)) {
      expect(outputs[0]?.shape[0]).toBe(inputsOf(batch)[0]?.shape[0]);
      sizes.push(inputsOf(batch)[0]?.shape[0] ?? 0);
    }
    expect(sizes).toEqual([4, 4, 2]);
    for await (const { batch } of model.predictBatches(dataset)) {
      expect(inputsOf(batch)[0]?.shape[0]).toBe(4);
      break;
    }
    await expect(model.predict({ batches: () => [] })).rejects.toMatchObject({ code: 'dataset/empty' });
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('takes a large array in batches', async () => {
    const model = classifier().to(gpu());
    const x = { data: Float32Array.from({ length: 70 * 2 }, (_, i) => Math.sin(i)), shape: [70, 2] };
    const [whole] = await model.predictOnBatch(x);
    const submits = gpu().counters().submits;
    const batched = await model.predict(x, { batchSize: 8 });
    expect(gpu().counters().submits - submits).toBe(Math.ceil(70 / 8));
    expect(batched.shape).toEqual([70, 1]);
    expect([...batched.data].every((value, i) => Math.abs(value - (whole?.data[i] ?? NaN)) < 1e-6)).toBe(
      true,
    );
    expect((await model.predict(x)).shape).toEqual([70, 1]);
    await expect(model.predict(x, { batchSize: 0 })).rejects.toMatchObject({ code: 'batches/size' });
    await expect(model.predict({ ...x, shape: [71, 2] })).rejects.toMatchObject({ code: 'array/shape' });
    model.dispose();
  });
});
