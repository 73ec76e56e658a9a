import { describe, expect, it } from 'vitest';
import { randomFloats, withGpu } from '../testing.ts';
import { planScaleLoss, planUnscaleGradient, planUpdateLossScale } from './loss-scale.ts';
import { nextLossScale, type LossScaleState } from './reference.ts';

const rules = { growthSteps: 2000, smallest: 1, largest: 2 ** 24 };
const begun = { scale: 32_768, steps: 7, skipped: 3, stuck: 0 };

describe.each([
  ['in one binding', {}],
  ['in several bindings', { bindingLimit: 512 }],
])('the loss scale, gradients %s', (_, options) => {
  const gpu = withGpu(options);

  /** One step: the gradient goes up and down again; what became of it and of the state. */
  async function step(gradient: Float32Array, before: LossScaleState, { growthSteps = 2000 } = {}) {
    const count = gradient.length;
    const [g, state, nonFinite] = [
      gpu().createFilled(gradient, 'g'),
      gpu().createFilled(Float32Array.from(Object.values(before)), 'state'),
      gpu().createFilled(new Uint32Array(1), 'nonFinite'),
    ];
    gpu().run(planScaleLoss({ count }, gpu().target), { g, state });
    const scaled = new Float32Array(await gpu().read(g, 4 * count));
    gpu().run(planUnscaleGradient({ count }, gpu().target), { g, state, nonFinite });
    const after = new Float32Array(await gpu().read(g, 4 * count));
    const [noted] = new Uint32Array(await gpu().read(nonFinite, 4));
    gpu().run(planUpdateLossScale({ ...rules, growthSteps }), { state, nonFinite });
    const [scale, steps, skipped, stuck] = new Float32Array(await gpu().read(state, 16));
    const [cleared] = new Uint32Array(await gpu().read(nonFinite, 4));
    for (const buffer of [g, state, nonFinite]) gpu().releaseBuffer(buffer);
    return { scaled, after, noted, cleared, state: { scale, steps, skipped, stuck } };
  }

  it('changes nothing of a good step but the count', async () => {
    const gradient = randomFloats(397);
    const { scaled, after, noted, state } = await step(gradient, begun);
    expect([...scaled]).toEqual(Array.from(gradient, (value) => value * 32_768));
    expect([...after]).toEqual([...gradient]);
    expect(noted).toBe(0);
    expect(state).toEqual({ ...begun, steps: 8 });
    expect(state).toEqual(nextLossScale(begun, true, rules));
  });

  it('doubles after enough good steps', async () => {
    const before = { scale: 1024, steps: 1, skipped: 0, stuck: 0 };
    const { state } = await step(randomFloats(5), before, { growthSteps: 2 });
    expect(state).toEqual({ ...before, scale: 2048, steps: 0 });
    expect(state).toEqual(nextLossScale(before, true, { ...rules, growthSteps: 2 }));
  });

  it.each([NaN, Infinity, -Infinity])('halves after a gradient of %s, wherever it is', async (bad) => {
    for (const place of [0, 3, 396]) {
      const gradient = randomFloats(397);
      gradient[place] = bad;
      const { noted, cleared, state } = await step(gradient, begun);
      expect(noted).toBe(1);
      expect(cleared).toBe(0);
      expect(state).toEqual({ scale: 16_384, steps: 0, skipped: 4, stuck: 0 });
      expect(state).toEqual(nextLossScale(begun, false, rules));
    }
  });

  it('stays within its limits, and counts the steps that are skipped at the lower one', async () => {
    const largest = { ...begun, scale: 2 ** 24, steps: 1999 };
    const { state: top } = await step(Float32Array.of(2 ** -20), largest);
    expect(top).toEqual({ ...largest, steps: 0 });
    expect(top).toEqual(nextLossScale(largest, true, rules));
    let state = { scale: 2, steps: 5, skipped: 0, stuck: 0 };
    for (const [isGood, expected] of [
      [false, { scale: 1, steps: 0, skipped: 1, stuck: 0 }],
      [false, { scale: 1, steps: 0, skipped: 2, stuck: 1 }],
      [false, { scale: 1, steps: 0, skipped: 3, stuck: 2 }],
      [true, { scale: 1, steps: 1, skipped: 3, stuck: 0 }],
    ] as const) {
      expect((await step(Float32Array.of(isGood ? 1 : NaN), state)).state).toEqual(expected);
      expect(nextLossScale(state, isGood, rules)).toEqual(expected);
      state = expected;
    }
  });
});
