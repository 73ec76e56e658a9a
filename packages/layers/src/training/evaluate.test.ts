import type { Gpu } from '@convbase/core-gpu';
import { describe, expect, it } from 'vitest';
import { InputMeter, type HostArray, type Model } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { classifier, rings } from '../testing/rings.ts';

function compiled(gpu: Gpu): Model {
  const model = classifier().to(gpu);
  model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  return model;
}

describe('evaluate', () => {
  const gpu = withGpu();

  it('hands out the predictions that it judges, batch after batch, and tells what it waited for', async () => {
    const model = compiled(gpu());
    const dataset = rings(10, 4);
    const plain = await model.evaluate(dataset);
    const alone = await model.predict(dataset);
    const parts: HostArray[] = [];
    const meter = new InputMeter();
    const judged = await model.evaluate(dataset, { meter, onPredictions: (part) => parts.push(part) });
    expect(judged).toEqual(plain);
    expect(parts.map(({ shape }) => shape)).toEqual([
      [4, 1],
      [4, 1],
      [2, 1],
    ]);
    parts
      .flatMap(({ data }) => [...data])
      .forEach((value, i) => {
        expect(value).toBeCloseTo(alone.data[i] ?? NaN, 6);
      });
    expect(meter.times().batches).toBe(3);
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('ends with the error of whoever takes the predictions', async () => {
    const model = compiled(gpu());
    const refuse = (): never => {
      throw new Error('no more');
    };
    await expect(model.evaluate(rings(10, 4), { onPredictions: refuse })).rejects.toThrow('no more');
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });
});
