import { describe, expect, it } from 'vitest';
import type { Batch, Dataset, Model } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { watchMemory } from '../testing/memory-bound.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';

/** Pictures that fit the model, and the first of its classes for each. */
function batchFor(model: Model, count: number): Batch {
  const [height = 0, width = 0] = model.inputs[0]?.shape.slice(1).map(Number) ?? [];
  return {
    x: {
      data: new Uint8Array(count * height * width * 3),
      shape: [count, height, width, 3],
      preprocess: 'tf',
    },
    y: { data: new Uint8Array(count), shape: [count] },
  };
}

/** On the null backend memory is planned for a GPU's kernels, and nothing is computed. */
describe('memory kept from step to step', () => {
  const gpu = withGpu({ backend: 'null' });

  /** As a multiple of what is in use at the busiest moment of a step. */
  async function keptFor(step: () => Promise<unknown>): Promise<number> {
    await step();
    await step();
    const bound = watchMemory(gpu());
    await step();
    const least = bound();
    expect(least).toBeGreaterThan(2 ** 20);
    const { pooledBytes } = gpu().memory();
    gpu().trim();
    await gpu().idle();
    return pooledBytes / least;
  }

  const models = [
    ['VGG', miniVgg, 'binaryCrossentropy', 3],
    ['Inception', miniInception, 'sparseCategoricalCrossentropy', 5],
  ] as const;

  it.each(models)('is little more than a prediction uses at a time: %s', async (_, make) => {
    const model = make().to(gpu());
    const { x } = batchFor(model, 64);
    expect(await keptFor(() => model.predictOnBatch(x))).toBeLessThan(1.45);
    model.dispose();
  });

  it.each(models)('is little more than a training step uses at a time: %s', async (_, make, loss, last) => {
    for (const trained of [last, 100]) {
      const model = make().to(gpu()).unfreezeLast(trained);
      model.compile({ optimizer: 'sgd', loss });
      const dataset: Dataset = { batches: () => [batchFor(model, 64)], batchCount: 1 };
      expect(await keptFor(() => model.fit(dataset, { epochs: 1 }))).toBeLessThan(1.45);
      model.dispose();
    }
  });
});
