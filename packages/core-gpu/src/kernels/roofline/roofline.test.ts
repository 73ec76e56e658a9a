import { describe, expect, it } from 'vitest';
import { randomFloats, runPlan, withGpu } from '../testing.ts';
import { fmaRate } from './reference.ts';
import { FMA_CHAINS, planCopyRate, planFmaRate } from './roofline.ts';

describe('the roofline kernels', () => {
  const gpu = withGpu();

  it('do all the multiply-adds that they are credited with', async () => {
    const options = { threads: 2048, steps: 12, factor: 0.99, term: 0.25 };
    const plan = planFmaRate(options, gpu().target);
    expect(plan.flops).toBe(2 * 2048 * FMA_CHAINS * 48);
    const { y } = await runPlan(gpu(), plan, {}, { y: 2048 });
    const expected = fmaRate(options);
    for (const [i, value] of y.entries()) {
      // 48 roundings of numbers of this size, and twelve of their sum.
      expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(60 * 2 ** -24 * (expected[i] ?? 0));
    }
  });

  it('copy every float, also in many bindings', async () => {
    const x = randomFloats(5000, 1);
    for (const target of [gpu().target, { ...gpu().target, maxBindingBytes: 4096 }]) {
      const { y } = await runPlan(gpu(), planCopyRate({ count: 5000 }, target), { x }, { y: 5000 });
      expect(y).toEqual(x);
    }
  });
});
