import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelTarget } from '../../commands/plan.ts';
import type { RowsShape } from '../row-reductions.ts';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { expectClose, expectRelative, randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import { softmax, softmaxGradient } from './reference.ts';
import { planSoftmax, planSoftmaxGradient } from './softmax.ts';

/** The tile for long rows is a GPU's choice; this asks for it on whatever adapter there is. */
function as(target: KernelTarget, kind: KernelTarget['kind']): KernelTarget {
  return { ...target, kind };
}

describe.each([
  ['in one binding, a thread for each row', {}, 'software' as const],
  ['in one binding, a workgroup for each row', {}, 'gpu' as const],
  ['in many bindings, a thread for each row', { bindingLimit: 4096 }, 'software' as const],
  ['in many bindings, a workgroup for each row', { bindingLimit: 4096 }, 'gpu' as const],
])('softmax %s', (_, options, kind) => {
  const gpu = withGpu(options);

  async function check(shape: RowsShape): Promise<void> {
    const count = shape.rows * shape.classes;
    const target = as(gpu().target, kind);
    const x = randomFloats(count, 3).map((v) => 20 * v);
    const { y } = await runPlan(gpu(), planSoftmax(shape, target), { x }, { y: count });
    // Differences of up to 40 are rounded to 1.9e-6, which is then the relative error of their power. The sum of K
    // positive terms adds about sqrt(K) roundings.
    expectRelative(y, softmax(shape, x), 3e-6 + 2 ** -24 * Math.sqrt(shape.classes));
    const dy = randomFloats(count, 4);
    const { dx } = await runPlan(gpu(), planSoftmaxGradient(shape, target), { y, dy }, { dx: count });
    expectClose(dx, softmaxGradient(shape, y, dy), { magnitude: 2 });
  }

  it('makes NaN of a row with a NaN, and of no other', async () => {
    const shape = { rows: 60, classes: 50 };
    const x = randomFloats(3000, 5);
    x[50 * 7 + 3] = NaN;
    const { y } = await runPlan(gpu(), planSoftmax(shape, as(gpu().target, kind)), { x }, { y: 3000 });
    y.forEach((value, i) => {
      expect(Number.isNaN(value)).toBe(Math.floor(i / 50) === 7);
    });
  });

  it('agrees with the reference for random shapes', async () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 1, max: 90 }),
      classes: fc.integer({ min: 1, max: 140 }),
    });
    await fc.assert(fc.asyncProperty(shapes, check), { numRuns: 12, seed: 5 });
  });

  it.each([
    { rows: 1, classes: 1 },
    { rows: 2, classes: 1000 },
    { rows: 3, classes: 2500 },
    { rows: 1500, classes: 3 },
  ])('agrees with the reference for %o', check);

  it('stays finite and sums to 1 for logits of any size', async () => {
    const x = new Float32Array([1e4, -1e4, 0, 3e38, -3e38, 0, -1e30, -1e30, -1e30, -500, -501, -502]);
    const shape = { rows: 4, classes: 3 };
    const { y } = await runPlan(gpu(), planSoftmax(shape, as(gpu().target, kind)), { x }, { y: 12 });
    expectRelative(y, softmax(shape, x), 1e-6);
  });
});

describe.skipIf(!hasGolden('dense_losses'))('softmax against Keras', () => {
  const gpu = withGpu();

  it('forward and gradient', async () => {
    const golden = readGolden('dense_losses');
    const { data: x, shape: dimensions } = golden.tensor('softmax.x');
    const dy = golden.tensor('softmax.dy').data;
    const shape = { rows: dimensions[0] ?? 0, classes: dimensions[1] ?? 0 };
    const { y } = await runPlan(gpu(), planSoftmax(shape, gpu().target), { x }, { y: x.length });
    expect(relativeError(y, golden.tensor('softmax.y').data)).toBeLessThan(1e-5);
    const { dx } = await runPlan(
      gpu(),
      planSoftmaxGradient(shape, gpu().target),
      { y, dy },
      { dx: x.length },
    );
    expect(relativeError(dx, golden.tensor('softmax.dx').data)).toBeLessThan(1e-5);
  });
});
