import { describe, expect, it } from 'vitest';
import {
  Conv2D,
  GlobalAveragePooling2D,
  Sequential,
  SparseCategoricalCrossentropy,
  type Batch,
  type Dataset,
  type Model,
} from '../index.ts';
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

  /** As a multiple of what is in use at the peak of a step. */
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

  it('is that of the epoch before, though kernels in training are transformed anew for each validation', async () => {
    const same = { filters: 64, kernelSize: 3, padding: 'same' };
    const layers = [new Conv2D(same), new Conv2D(same), new Conv2D(same), new GlobalAveragePooling2D()];
    const model = new Sequential({ inputShape: [64, 64, 3], layers }).to(gpu());
    const loss = new SparseCategoricalCrossentropy({ fromLogits: true });
    model.compile({ optimizer: 'sgd', loss });
    if (layers[1] !== undefined) layers[1].trainable = false;
    const batch = batchFor(model, 4);
    const dataset: Dataset = { batches: () => [batch, batch, batch], batchCount: 3 };
    const transforms: number[] = [];
    const buffers: number[] = [];
    let count = 0;
    const unwatch = gpu().watchPlans(({ kernel }) => {
      if (kernel === 'winograd kernel') count += 1;
    });
    const onEpochEnd = (): void => {
      transforms.push(count);
      buffers.push(gpu().counters().buffers);
      count = 0;
    };
    await model.fit(dataset, { epochs: 5, validationData: dataset, callbacks: [{ onEpochEnd }] });
    unwatch();
    // The frozen one once and for all, the other before the first of three batches.
    expect(transforms).toEqual([2, 1, 1, 1, 1]);
    expect(buffers.slice(2)).toEqual([buffers[1], buffers[1], buffers[1]]);
    model.dispose();
  });
});
