import { describe, expect, it } from 'vitest';
import { randomFloats, withGpu } from '../testing.ts';
import { planScaleLoss, planUnscaleGradient, planUpdateLossScale } from './loss-scale.ts';
import { nextLossScale } from './reference.ts';

describe.each([
  ['in one binding', {}],
  ['in several bindings', { bindingLimit: 512 }],
])('the loss scale, gradients %s', (_, options) => {
  const gpu = withGpu(options);

  /** One step: the gradient goes up and down again; what became of it and of the state. */
  async function step(gradient: Float32Array, before: Float32Array, growthSteps: number) {
    const count = gradient.length;
    const [g, state, nonFinite] = [
      gpu().createFilled(gradient, 'g'),
      gpu().createFilled(before, 'state'),
      gpu().createFilled(new Uint32Array(1), 'nonFinite'),
    ];
    gpu().run(planScaleLoss(count, gpu().target), { g, state });
    const scaled = new Float32Array(await gpu().read(g, 4 * count));
    gpu().run(planUnscaleGradient(count, gpu().target), { g, state, nonFinite });
    const after = new Float32Array(await gpu().read(g, 4 * count));
    const [noted] = new Uint32Array(await gpu().read(nonFinite, 4));
    gpu().run(planUpdateLossScale(growthSteps), { state, nonFinite });
    const [scale, steps] = new Float32Array(await gpu().read(state, 8));
    const [cleared] = new Uint32Array(await gpu().read(nonFinite, 4));
    for (const buffer of [g, state, nonFinite]) gpu().releaseBuffer(buffer);
    return { scaled, after, noted, cleared, state: { scale, steps } };
  }

  it('changes nothing of a good step but the count', async () => {
    const gradient = randomFloats(397);
    const { scaled, after, noted, state } = await step(gradient, Float32Array.of(32_768, 7), 2000);
    expect([...scaled]).toEqual(Array.from(gradient, (value) => value * 32_768));
    expect([...after]).toEqual([...gradient]);
    expect(noted).toBe(0);
    expect(state).toEqual(nextLossScale({ scale: 32_768, steps: 7 }, true, 2000));
  });

  it('doubles after enough good steps', async () => {
    const { state } = await step(randomFloats(5), Float32Array.of(1024, 1), 2);
    expect(state).toEqual({ scale: 2048, steps: 0 });
    expect(state).toEqual(nextLossScale({ scale: 1024, steps: 1 }, true, 2));
  });

  it.each([NaN, Infinity, -Infinity])('halves after a gradient of %s, wherever it is', async (bad) => {
    for (const place of [0, 3, 396]) {
      const gradient = randomFloats(397);
      gradient[place] = bad;
      const { noted, cleared, state } = await step(gradient, Float32Array.of(32_768, 7), 2000);
      expect(noted).toBe(1);
      expect(cleared).toBe(0);
      expect(state).toEqual(nextLossScale({ scale: 32_768, steps: 7 }, false, 2000));
    }
  });
});
