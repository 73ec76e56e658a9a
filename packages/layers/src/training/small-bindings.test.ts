import { describe, expect, it } from 'vitest';
import { SGD, type Batch } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';
import { randoms } from '../testing/numbers.ts';

describe('training where a binding may hold only 8 KiB', () => {
  const limited = withGpu({ bindingLimit: 8192 });
  const unlimited = withGpu();

  const batches: Record<string, { build: typeof miniVgg; loss: string; batch: Batch }> = {
    mini_vgg: {
      build: miniVgg,
      loss: 'binaryCrossentropy',
      batch: {
        x: { data: randoms(4 * 20 * 20 * 3), shape: [4, 20, 20, 3] },
        y: { data: Float32Array.of(0, 1, 1, 0), shape: [4, 1] },
      },
    },
    mini_inception: {
      build: miniInception,
      loss: 'sparseCategoricalCrossentropy',
      batch: {
        x: { data: randoms(4 * 33 * 29 * 3), shape: [4, 33, 29, 3] },
        y: { data: Uint8Array.of(0, 1, 2, 3), shape: [4] },
      },
    },
  };

  for (const [name, { build, loss, batch }] of Object.entries(batches)) {
    it(`takes the same way as without the limit: ${name}`, async () => {
      const run = async (gpu: ReturnType<typeof limited>): Promise<number[]> => {
        const model = build().to(gpu);
        model.compile({ optimizer: new SGD({ learningRate: 0.05, momentum: 0.9 }), loss });
        const losses: number[] = [];
        for (let step = 0; step < 4; step++) losses.push((await model.trainOnBatch(batch))['loss'] ?? NaN);
        model.dispose();
        return losses;
      };
      const expected = await run(unlimited());
      const losses = await run(limited());
      // Sums are taken in another order: a few units of float32's last place, growing over the steps.
      losses.forEach((value, step) => {
        expect(Math.abs(value - (expected[step] ?? NaN)), `step ${step}`).toBeLessThan(2e-5);
      });
      expect(losses[3]).toBeLessThan(losses[0] ?? NaN);
    });
  }
});
