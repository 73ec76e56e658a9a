import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import { penaltyGradientReference, penaltyReference } from './reference.ts';
import { planPenalty, planPenaltyGradient } from './regularizer.ts';

const penalties = [
  { l1: 0, l2: 0.01 },
  { l1: 0.5, l2: 0 },
  { l1: 0.25, l2: 2 },
];

describe.each([
  ['one binding', {}],
  ['several bindings', { bindingLimit: 1024 }],
])('penalties in %s', (_name, options) => {
  const gpu = withGpu(options);

  it('and their gradients agree with the reference', async () => {
    const counts = fc.integer({ min: 1, max: 3000 });
    await fc.assert(
      fc.asyncProperty(counts, fc.constantFrom(...penalties), async (count, penalty) => {
        const { target } = gpu();
        const w = randomFloats(count, 2);
        w[0] = 0; // where |w| has no derivative, its gradient is 0
        const g = randomFloats(count, 3);
        const { y } = await runPlan(gpu(), planPenalty({ count, ...penalty }, target), { w }, { y: 1 });
        expect(relativeError(y, [penaltyReference(w, penalty)])).toBeLessThan(1e-6);
        const plan = planPenaltyGradient({ count, ...penalty }, target);
        const added = await runPlan(gpu(), plan, { w, g }, { g: count });
        const expected = penaltyGradientReference(w, penalty).map((value, i) => value + (g[i] ?? NaN));
        expect(relativeError(added.g, expected)).toBeLessThan(1e-6);
        expect(added.g[0]).toBe(g[0]);
      }),
      { numRuns: 10, seed: 3 },
    );
  });
});

it('finite differences confirm the gradient', () => {
  const w = Float64Array.from(randomFloats(20, 4));
  for (const penalty of penalties) {
    const gradient = penaltyGradientReference(w, penalty);
    for (let i = 0; i < w.length; i++) {
      const moved = (step: number): number =>
        penaltyReference(
          w.map((value, j) => (i === j ? value + step : value)),
          penalty,
        );
      expect(Math.abs((moved(1e-6) - moved(-1e-6)) / 2e-6 - (gradient[i] ?? NaN))).toBeLessThan(1e-8);
    }
  }
});
