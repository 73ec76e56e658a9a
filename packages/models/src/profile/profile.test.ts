import { openGpu, type ProfileEvent } from '@convbase/core-gpu';
import { Conv2D, Dense, Flatten, input, Model } from '@convbase/layers';
import { describe, expect, it } from 'vitest';
import { profileModel } from './profile-model.ts';
import { sumByKernel, sumByLayer, sumOfAll } from './sums.ts';
import { profileText } from './tables.ts';
import { chromeTrace } from './trace.ts';

const event = (
  layer: string,
  phase: ProfileEvent['phase'],
  start: number,
  nanoseconds: number,
): ProfileEvent => ({
  kernel: phase === 'forward' ? 'conv' : 'conv gradient',
  variant: 'tiled',
  shader: 'conv2d/tiled-forward',
  layer,
  phase,
  flops: 1000,
  bytes: 10,
  start,
  nanoseconds,
});
const events = [
  event('a', 'forward', 5000, 1_000_000),
  event('b', 'forward', 1_105_000, 2_000_000),
  event('b', 'forward', 3_205_000, 1_000_000),
  event('b', 'backward', 4_305_000, 3_000_000),
  event('a', 'backward', 7_405_000, 500_000),
  event('', 'forward', 8_005_000, 500_000),
];

describe('sums of events', () => {
  it('are by layer in the order of their first kernel, and by phase', () => {
    const layers = sumByLayer(events);
    expect(layers.map(({ layer }) => layer)).toEqual(['a', 'b', 'other']);
    expect(layers[1]).toMatchObject({
      calls: 3,
      milliseconds: 6,
      share: 0.75,
      flops: 3000,
      forwardMilliseconds: 3,
      backwardMilliseconds: 3,
      updateMilliseconds: 0,
      kernels: ['conv, tiled', 'conv gradient, tiled'],
    });
  });

  it('are by kernel, the dearest first, and add up', () => {
    const kernels = sumByKernel(events);
    expect(kernels.map(({ kernel, calls }) => [kernel, calls])).toEqual([
      ['conv', 4],
      ['conv gradient', 2],
    ]);
    expect(sumOfAll(events).milliseconds).toBe(8);
    expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  });
});

describe('a Chrome trace', () => {
  it('has a row of layers over a row of kernels, in microseconds from the first', () => {
    const { traceEvents } = chromeTrace(events, 'some adapter');
    const rows = (tid: number) => traceEvents.filter((entry) => entry.ph === 'X' && entry.tid === tid);
    expect(rows(1).map(({ name, cat, ts, dur }) => [name, cat, ts, dur])).toEqual([
      ['a', 'forward', 0, 1000],
      ['b', 'forward', 1100, 3100],
      ['b', 'backward', 4300, 3000],
      ['a', 'backward', 7400, 500],
      ['other', 'forward', 8000, 500],
    ]);
    expect(rows(2)).toHaveLength(events.length);
    expect(rows(2)[0]?.args).toMatchObject({ layer: 'a', variant: 'tiled' });
    expect(JSON.stringify(traceEvents[0])).toContain('some adapter');
  });
});

describe('profileModel', () => {
  function tiny(): Model {
    const image = input({ shape: [8, 8, 3] });
    const features = new Conv2D({ filters: 4, kernelSize: 3, name: 'conv', activation: 'relu' }).apply(image);
    const flat = new Flatten({}).apply(features);
    const output = new Dense({ units: 1, activation: 'sigmoid', name: 'dense' }).apply(flat);
    return new Model({ inputs: [image], outputs: [output], name: 'tiny' });
  }

  it('names the layers of a prediction and of a training step', async () => {
    const gpu = await openGpu({ profile: 'events' });
    try {
      const model = tiny();
      const forward = await profileModel(gpu, model, { batchSize: 2, runs: 2 });
      expect(forward.layers.map(({ layer }) => layer)).toEqual(['input', 'conv', 'dense']);
      expect(forward.layers.every(({ backwardMilliseconds }) => backwardMilliseconds === 0)).toBe(true);
      // 6 x 6 outputs, 4 channels, 27 products, and 144 products of the dense unit, for two pictures.
      expect(sumOfAll(forward.events).flops).toBeGreaterThanOrEqual(2 * 2 * (36 * 4 * 27 + 144));

      model.compile({ optimizer: 'rmsprop', loss: 'binaryCrossentropy' });
      const step = await profileModel(gpu, model, { batchSize: 2, train: true, runs: 1 });
      const byName = new Map(step.layers.map((row) => [row.layer, row]));
      for (const layer of ['conv', 'dense', 'loss']) {
        expect(byName.get(layer)?.forwardMilliseconds, layer).toBeGreaterThan(0);
        expect(byName.get(layer)?.backwardMilliseconds, layer).toBeGreaterThan(0);
      }
      expect(byName.get('optimizer')?.updateMilliseconds).toBeGreaterThan(0);
      expect(step.trainableWeights).toBe(4);
      const text = profileText(step, 2);
      expect(text).toMatch(/one training step, 4 weights trained, batch 2 of 8x8x3/);
      expect(text).toMatch(/and \d+ more layers/);
      for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);

      expect(text).not.toContain('mixed precision');
      model.precision = 'mixed';
      const mixed = await profileModel(gpu, model, { runs: 1 });
      expect(profileText(mixed)).toContain('\nmixed precision: float16 between layers\n');
      model.dispose();
    } finally {
      gpu.destroy();
    }
  });

  it('says what is missing', async () => {
    const gpu = await openGpu({ backend: 'null', profile: false });
    try {
      await expect(profileModel(gpu, tiny())).rejects.toMatchObject({ code: 'profile/timestamps' });
    } finally {
      gpu.destroy();
    }
    const measuring = await openGpu({ profile: 'events' });
    try {
      const image = input({ shape: [null, null, 3] });
      const open = new Model({
        inputs: [image],
        outputs: [new Conv2D({ filters: 4, kernelSize: 3 }).apply(image)],
      });
      await expect(profileModel(measuring, open)).rejects.toMatchObject({ code: 'profile/shape' });
    } finally {
      measuring.destroy();
    }
  });
});
