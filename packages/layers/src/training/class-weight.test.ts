import { describe, expect, it } from 'vitest';
import { balancedClassWeight, type Batch, type Dataset } from '../index.ts';
import { withClassWeight } from './class-weight.ts';

const x = { data: new Float32Array(3), shape: [3, 1] };
const once = (batch: Batch): Dataset => ({ batches: () => [batch], batchCount: 1, sampleCount: 3 });

async function weightsOf(dataset: Dataset): Promise<number[]> {
  for await (const { sampleWeight } of dataset.batches(0)) return [...(sampleWeight?.data ?? [])];
  throw new Error('no batch');
}

describe('class weights', () => {
  it('that balance are n / (classes * count)', () => {
    // As sklearn.utils.class_weight.compute_class_weight('balanced', ..) says of these labels.
    expect(balancedClassWeight([0, 0, 0, 1, 3, 3])).toEqual({ 0: 6 / (3 * 3), 1: 6 / 3, 3: 6 / (3 * 2) });
    expect(balancedClassWeight(Float32Array.of(1, 1))).toEqual({ 1: 1 });
    expect(balancedClassWeight([])).toEqual({});
  });

  it('become weights of samples, from numbers, columns and one-hot rows', async () => {
    const weight = { 0: 0.5, 2: 4 };
    const labels: Batch['y'][] = [
      { data: Uint8Array.of(0, 1, 2), shape: [3] },
      { data: Float32Array.of(0, 1, 2), shape: [3, 1] },
      { data: Float32Array.of(0.9, 0.1, 0, 0, 1, 0, 0, 0, 1), shape: [3, 3] },
    ];
    for (const y of labels) {
      const dataset = withClassWeight(once({ x, ...(y && { y }) }), weight);
      expect(await weightsOf(dataset)).toEqual([0.5, 1, 4]);
      expect(dataset).toMatchObject({ batchCount: 1, sampleCount: 3 });
    }
  });

  it('are passed on with the place to begin at, and left out where there are none', async () => {
    const asked: unknown[] = [];
    const dataset: Dataset = {
      batches: (...place) => {
        asked.push(place);
        return [{ x }];
      },
    };
    expect(withClassWeight(dataset, undefined)).toBe(dataset);
    for await (const batch of withClassWeight(dataset, { 0: 2 }).batches(3, 7)) expect(batch).toEqual({ x });
    expect(asked).toEqual([[3, 7]]);
  });

  it('do not go together with sample weights, nor below 0', async () => {
    const y = { data: Uint8Array.of(0, 1, 1), shape: [3] };
    const weighted = withClassWeight(once({ x, y, sampleWeight: { data: y.data, shape: [3] } }), { 0: 1 });
    await expect(weightsOf(weighted)).rejects.toMatchObject({ code: 'training/class-weight' });
    expect(() => withClassWeight(once({ x, y }), { 1: -1 })).toThrow('class 1 cannot have the weight -1');
  });
});
