import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSumOfSquares } from '../reduce/reduce.ts';
import { randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import { planClipByNorm, planClipByValue } from './clip.ts';
import { clipByNormReference, clipByValueReference } from './reference.ts';

describe.each([
  ['one binding', {}],
  ['several bindings', { bindingLimit: 1024 }],
])('clipping in %s', (_name, options) => {
  const gpu = withGpu(options);
  const counts = fc.integer({ min: 1, max: 1000 });

  it('by value', async () => {
    await fc.assert(
      fc.asyncProperty(counts, fc.constantFrom(0.1, 0.5, 2), async (count, clipValue) => {
        const g = randomFloats(count);
        const plan = planClipByValue({ count, clipValue }, gpu().target);
        const clipped = await runPlan(gpu(), plan, { g }, { g: count });
        expect([...clipped.g]).toEqual([
          ...Float32Array.from(clipByValueReference(g, Math.fround(clipValue))),
        ]);
      }),
      { numRuns: 10 },
    );
  });

  it('by norm', async () => {
    await fc.assert(
      fc.asyncProperty(counts, fc.constantFrom(0.1, 5, 100), async (count, clipNorm) => {
        const g = randomFloats(count);
        const { target } = gpu();
        const { y } = await runPlan(gpu(), planSumOfSquares({ count }, target), { x: g }, { y: 1 });
        const plan = planClipByNorm({ count, clipNorm }, target);
        const clipped = await runPlan(gpu(), plan, { g, sumOfSquares: y }, { g: count });
        expect(relativeError(clipped.g, clipByNormReference(g, clipNorm))).toBeLessThan(1e-6);
      }),
      { numRuns: 10 },
    );
  });

  it('leaves a zero gradient zero', async () => {
    const plan = planClipByNorm({ count: 3, clipNorm: 1 }, gpu().target);
    const inputs = { g: new Float32Array(3), sumOfSquares: new Float32Array(1) };
    expect([...(await runPlan(gpu(), plan, inputs, { g: 3 })).g]).toEqual([0, 0, 0]);
  });
});
