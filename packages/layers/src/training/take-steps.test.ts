import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeSteps, type Batch, type Dataset } from '../index.ts';

/** Each batch says of which pass it is and which of its batches. */
function passes(batchCount: number, ends = batchCount): Dataset {
  return {
    batchCount,
    *batches(epoch, first = 0): Generator<Batch> {
      for (let batch = first; batch < ends; batch++) {
        yield { x: { data: Float32Array.of(epoch, batch), shape: [1, 2] } };
      }
    },
  };
}

async function read(dataset: Dataset, epoch: number, first?: number): Promise<number[][]> {
  const all: number[][] = [];
  for await (const { x } of dataset.batches(epoch, first)) if ('data' in x) all.push([...x.data]);
  return all;
}

describe('takeSteps', () => {
  it('goes through the data pass after pass, epoch after epoch', async () => {
    const counts = fc.integer({ min: 1, max: 12 });
    await fc.assert(
      fc.asyncProperty(counts, counts, async (batchCount, steps) => {
        const dataset = takeSteps(passes(batchCount), steps);
        expect(dataset.batchCount).toBe(steps);
        const epochs = await Promise.all([0, 1, 2, 3].map((epoch) => read(dataset, epoch)));
        const expected = Array.from({ length: 4 * steps }, (_, i) => [
          Math.floor(i / batchCount),
          i % batchCount,
        ]);
        expect(epochs.flat()).toEqual(expected);
        expect(epochs.map((batches) => batches.length)).toEqual([steps, steps, steps, steps]);
        // From the middle, and in a dataset that has not been read before.
        const first = Math.floor(steps / 2);
        expect(await read(takeSteps(passes(batchCount), steps), 2, first)).toEqual(epochs[2]?.slice(first));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('keeps to the length it was told first', async () => {
    const shrinking = { ...passes(5), batchCount: 5 };
    const dataset = takeSteps(shrinking, 5);
    await read(dataset, 0);
    shrinking.batchCount = 4;
    expect(await read(dataset, 1)).toEqual([0, 1, 2, 3, 4].map((batch) => [1, batch]));
  });

  it('needs a length that is true, and at least one step', async () => {
    expect(() => takeSteps(passes(3), 0)).toThrow('cannot have 0 steps');
    expect(() => takeSteps(passes(3), 2.5)).toThrow('cannot have 2.5 steps');
    const unknown: Dataset = { batches: () => [] };
    await expect(read(takeSteps(unknown, 2), 0)).rejects.toMatchObject({ code: 'dataset/length' });
    await expect(read(takeSteps(passes(3, 2), 4), 0)).rejects.toThrow('ended after 2 of its 3 batches');
  });
});
