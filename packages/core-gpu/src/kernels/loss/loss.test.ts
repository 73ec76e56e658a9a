import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelTarget } from '../../commands/plan.ts';
import type { RowsShape } from '../row-reductions.ts';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { expectRelative, randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import {
  planSigmoidCrossEntropy,
  planSigmoidCrossEntropyGradient,
  planSoftmaxCrossEntropy,
  planSoftmaxCrossEntropyGradient,
  planWeighRows,
} from './loss.ts';
import {
  sigmoidCrossEntropy,
  sigmoidCrossEntropyGradient,
  softmaxCrossEntropy,
  softmaxCrossEntropyGradient,
  weighRows,
} from './reference.ts';

/** Row r belongs to class 7 r mod classes. */
function oneHot({ rows, classes }: RowsShape): Float32Array {
  const labels = new Float32Array(rows * classes);
  for (let r = 0; r < rows; r++) labels[r * classes + ((7 * r) % classes)] = 1;
  return labels;
}

describe.each([
  ['in one binding, a thread for each row', {}, 'software' as const],
  ['in one binding, a workgroup for each row', {}, 'gpu' as const],
  ['in many bindings, a thread for each row', { bindingLimit: 4096 }, 'software' as const],
  ['in many bindings, a workgroup for each row', { bindingLimit: 4096 }, 'gpu' as const],
])('losses %s', (_, options, kind) => {
  const gpu = withGpu(options);
  const target = (): KernelTarget => ({ ...gpu().target, kind });

  async function check(shape: RowsShape): Promise<void> {
    const count = shape.rows * shape.classes;
    const logits = randomFloats(count, 3).map((v) => 20 * v);
    const scaled = { ...shape, scale: 1 / shape.rows };

    const labels = oneHot(shape);
    const inputs = { logits, labels };
    const softmaxPlan = planSoftmaxCrossEntropy(shape, target());
    const softmax = await runPlan(gpu(), softmaxPlan, inputs, { losses: shape.rows });
    expectRelative(softmax.losses, softmaxCrossEntropy(shape, logits, labels), 2e-6);
    const softmaxBack = planSoftmaxCrossEntropyGradient(scaled, target());
    const softmaxGradient = await runPlan(gpu(), softmaxBack, inputs, { dlogits: count });
    // Differences of up to 40 between logits are rounded to 1.9e-6, which is then the relative error of their power.
    expectRelative(softmaxGradient.dlogits, softmaxCrossEntropyGradient(scaled, logits, labels), 4e-6);

    const binary = randomFloats(count, 8).map((v) => (v > 0 ? 1 : 0));
    const pair = { logits, labels: binary };
    const sigmoidPlan = planSigmoidCrossEntropy(shape, target());
    const sigmoid = await runPlan(gpu(), sigmoidPlan, pair, { losses: shape.rows });
    const terms = shape.classes;
    expectRelative(sigmoid.losses, sigmoidCrossEntropy(shape, logits, binary), 1e-6 * Math.sqrt(terms));
    const sigmoidBack = planSigmoidCrossEntropyGradient(scaled, target());
    const sigmoidGradient = await runPlan(gpu(), sigmoidBack, pair, { dlogits: count });
    expectRelative(sigmoidGradient.dlogits, sigmoidCrossEntropyGradient(scaled, logits, binary), 1e-6);

    const weights = randomFloats(shape.rows, 5);
    const weighed = await runPlan(
      gpu(),
      planWeighRows(shape, target()),
      { x: logits, weights },
      { x: count },
    );
    expect([...weighed.x]).toEqual([...Float32Array.from(weighRows(shape, logits, weights))]);
  }

  it('agree with the reference for random shapes', async () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 1, max: 90 }),
      classes: fc.integer({ min: 1, max: 140 }),
    });
    await fc.assert(fc.asyncProperty(shapes, check), { numRuns: 8, seed: 5 });
  });

  it.each([
    { rows: 1, classes: 1 },
    { rows: 2, classes: 1000 },
    { rows: 3, classes: 2500 },
    { rows: 1500, classes: 3 },
  ])('agree with the reference for %o', check);
});

describe('losses at the edges', () => {
  const gpu = withGpu();

  it('of right and sure predictions keep their digits down to 1e-37', async () => {
    const rows = 170;
    // Logits 0.5, 1, 1.5, .. 85: the loss is about e^-z.
    const z = Float32Array.from({ length: rows }, (_, r) => (r + 1) / 2);
    const shape = { rows, classes: 1 };
    const labels = new Float32Array(rows).fill(1);
    const plan = planSigmoidCrossEntropy(shape, gpu().target);
    const sigmoid = await runPlan(gpu(), plan, { logits: z, labels }, { losses: rows });
    expectRelative(
      sigmoid.losses,
      sigmoidCrossEntropy(shape, z, labels),
      1e-6,
      (r) => `logit ${String(z[r])}`,
    );

    const two = { rows, classes: 2 };
    const logits = Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? ((i >> 1) + 1) / 2 : 0));
    const right = Float32Array.from({ length: 2 * rows }, (_, i) => 1 - (i % 2));
    const inputs = { logits, labels: right };
    const softmax = await runPlan(gpu(), planSoftmaxCrossEntropy(two, gpu().target), inputs, {
      losses: rows,
    });
    expectRelative(softmax.losses, softmaxCrossEntropy(two, logits, right), 1e-6);
    const back = planSoftmaxCrossEntropyGradient({ ...two, scale: 1 }, gpu().target);
    const { dlogits } = await runPlan(gpu(), back, inputs, { dlogits: 2 * rows });
    expectRelative(dlogits, softmaxCrossEntropyGradient({ ...two, scale: 1 }, logits, right), 1e-6);
  });

  it('of wrong and sure predictions grow with the logit and stay finite', async () => {
    const logits = new Float32Array([1e4, -1e4, 3e38, 100]);
    const labels = new Float32Array([0, 1, 0, 0]);
    const shape = { rows: 4, classes: 1 };
    const inputs = { logits, labels };
    const plan = planSigmoidCrossEntropy(shape, gpu().target);
    const { losses } = await runPlan(gpu(), plan, inputs, { losses: 4 });
    expectRelative(losses, [1e4, 1e4, 3e38, 100], 1e-6);
    const back = planSigmoidCrossEntropyGradient({ ...shape, scale: 1 }, gpu().target);
    const { dlogits } = await runPlan(gpu(), back, inputs, { dlogits: 4 });
    expect([...dlogits]).toEqual([1, -1, 1, 1]);
  });

  it('have gradients that finite differences of the reference confirm', () => {
    // The analytic references, against which the kernels are tested above, are themselves tested here.
    const shape = { rows: 3, classes: 5 };
    const logits = Float64Array.from(randomFloats(15, 3), (v) => 3 * v);
    const losses = [
      [softmaxCrossEntropy, softmaxCrossEntropyGradient, oneHot(shape)],
      [sigmoidCrossEntropy, sigmoidCrossEntropyGradient, randomFloats(15, 4).map((v) => (v + 1) / 2)],
    ] as const;
    for (const [loss, gradient, labels] of losses) {
      const analytic = gradient({ ...shape, scale: 1 }, logits, labels);
      for (let i = 0; i < 15; i++) {
        const moved = (step: number) => {
          const at = Float64Array.from(logits);
          at[i] = (at[i] ?? NaN) + step;
          return loss(shape, at, labels).reduce((a, b) => a + b);
        };
        const numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        expect(Math.abs(numeric - (analytic[i] ?? NaN))).toBeLessThan(1e-9);
      }
    }
  });
});

interface LossCase {
  readonly name: string;
  readonly op: string;
}

describe.skipIf(!hasGolden('dense_losses'))('losses against Keras', () => {
  const gpu = withGpu();
  const golden = hasGolden('dense_losses') ? readGolden<LossCase>('dense_losses') : undefined;
  const cases = (golden?.cases ?? []).filter(({ op }) => op.endsWith('crossentropy'));

  it.each(cases)('$name', async ({ name, op }) => {
    if (!golden) throw new Error('the test runs only with the golden file');
    const { data: logits, shape: dimensions } = golden.tensor(`${name}.logits`);
    const labels = golden.tensor(`${name}.labels`).data;
    const shape = { rows: dimensions[0] ?? 0, classes: dimensions[1] ?? 0 };
    const scaled = { ...shape, scale: 1 / shape.rows };
    const { target } = gpu();
    const [forward, back] =
      op === 'categorical_crossentropy'
        ? [planSoftmaxCrossEntropy(shape, target), planSoftmaxCrossEntropyGradient(scaled, target)]
        : [planSigmoidCrossEntropy(shape, target), planSigmoidCrossEntropyGradient(scaled, target)];
    const inputs = { logits, labels };
    const { losses } = await runPlan(gpu(), forward, inputs, { losses: shape.rows });
    const mean = losses.reduce((a, b) => a + b) / shape.rows;
    expect(relativeError([mean], golden.tensor(`${name}.loss`).data)).toBeLessThan(1e-5);
    const { dlogits } = await runPlan(gpu(), back, inputs, { dlogits: logits.length });
    expect(relativeError(dlogits, golden.tensor(`${name}.dlogits`).data)).toBeLessThan(1e-5);
  });
});
