import { describe, expect, it } from 'vitest';
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
      expect(outputs[0]?.shape[0]).toBe(batch.x.shape[0]);
      sizes.push(batch.x.shape[0] ?? 0);
    }
    expect(sizes).toEqual([4, 4, 2]);
    for await (const { batch } of model.predictBatches(dataset)) {
      expect(batch.x.shape[0]).toBe(4);
      break;
    }
    await expect(model.predict({ batches: () => [] })).rejects.toMatchObject({ code: 'dataset/empty' });
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });
});
