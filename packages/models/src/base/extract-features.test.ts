import { join } from 'node:path';
import { openGpu } from '@convbase/core-gpu';
import { bottleneckOf, InputMeter, type Batch } from '@convbase/layers';
import { describe, expect, it } from 'vitest';
import { extractFeatures, openBase, type Base } from './index.ts';

const mini = join(import.meta.dirname, '../../fixtures/golden/mini_vgg.keras');

/** Batches of black pictures, each after so many milliseconds. */
async function* decoded(count: number, milliseconds: number): AsyncGenerator<Batch> {
  for (let i = 0; i < count; i++) {
    if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
    yield { x: { data: new Uint8Array(4 * 20 * 20 * 3), shape: [4, 20, 20, 3], preprocess: 'rescale' } };
  }
}

describe('extractFeatures', () => {
  it('finds out whether pictures or the adapter are what it waits for', async () => {
    // An adapter that computes nothing is the fastest there is.
    const gpu = await openGpu({ backend: 'null' });
    const base = await openBase(mini);
    try {
      await metered(base, decoded(2, 0));
      const slow = (await metered(base, decoded(6, 150))).times();
      expect(slow.batches).toBe(6);
      expect(slow.waiting).toBeGreaterThan(0.3);
      expect(slow.waiting).toBeLessThanOrEqual(slow.seconds);
      expect(bottleneckOf(slow)).toBe('input');
      const fast = (await metered(base, decoded(20, 0))).times();
      expect(bottleneckOf(fast)).not.toBe('input');
    } finally {
      base.model.dispose();
      gpu.destroy();
    }

    async function metered(of: Base, batches: AsyncIterable<Batch>): Promise<InputMeter> {
      const meter = new InputMeter();
      for await (const { shape } of extractFeatures(of, gpu, batches, { meter })) expect(shape[0]).toBe(4);
      return meter;
    }
  });
});
