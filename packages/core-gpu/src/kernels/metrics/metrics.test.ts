import { describe, expect, it } from 'vitest';
import type { Plan } from '../../commands/plan.ts';
import { randomFloats, runPlan, withGpu } from '../testing.ts';
import { planBinaryCorrect, planCategoricalCorrect } from './metrics.ts';
import { binaryCorrect, categoricalCorrect } from './reference.ts';

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('accuracy counts %s', (_, options) => {
  const gpu = withGpu(options);

  /** The counter after the plan, which found `before` in it. */
  async function count(plan: Plan, predictions: Float32Array, labels: Float32Array, before = 0) {
    const inputs = { predictions, labels, correct: new Float32Array([before]) };
    return (await runPlan(gpu(), plan, inputs, { correct: 1 })).correct[0];
  }

  it.each([
    { rows: 1, classes: 1 },
    { rows: 20, classes: 10 },
    { rows: 300, classes: 4 },
    { rows: 2100, classes: 2 },
    { rows: 3, classes: 2500 },
  ])('of %o', async (shape) => {
    const values = shape.rows * shape.classes;
    // Few distinct values: ties in both, and many rows that are right by chance.
    const predictions = randomFloats(values, 3).map((v) => Math.round(2 * v));
    const labels = predictions.map((v, i) => (i % 7 === 0 ? v + 1 : v));
    const expected = categoricalCorrect(shape, predictions, labels);
    expect(expected).toBeGreaterThan(0);
    expect(await count(planCategoricalCorrect(shape, gpu().target), predictions, labels)).toBe(expected);
  });

  it('go on from what is in the counter', async () => {
    const predictions = new Float32Array([0.2, 0.8, 0.9, 0.1]);
    const labels = new Float32Array([0, 1, 0, 1]);
    const plan = planCategoricalCorrect({ rows: 2, classes: 2 }, gpu().target);
    expect(await count(plan, predictions, labels, 41)).toBe(42);
    expect(await count(planBinaryCorrect({ count: 4 }, gpu().target), predictions, labels, 5)).toBe(7);
  });

  it.each([1, 64, 1000, 5000])('of %i binary predictions', async (n) => {
    const predictions = randomFloats(n, 4);
    const labels = randomFloats(n, 5).map((v) => (v > 0 ? 1 : 0));
    const half = await count(planBinaryCorrect({ count: n }, gpu().target), predictions, labels);
    expect(half).toBe(binaryCorrect(predictions, labels, 0.5));
    const zero = await count(
      planBinaryCorrect({ count: n, threshold: 0 }, gpu().target),
      predictions,
      labels,
    );
    expect(zero).toBe(binaryCorrect(predictions, labels, 0));
  });

  it('take a prediction of exactly one half for class 0, as Keras does', async () => {
    const plan = planBinaryCorrect({ count: 2 }, gpu().target);
    expect(await count(plan, new Float32Array([0.5, 0.5]), new Float32Array([0, 1]))).toBe(1);
  });
});
