import { describe, expect, it } from 'vitest';
import { emulatedTarget, withEmulatedSubgroupMatrices } from '../../testing/emulated-subgroup-matrix.ts';
import { knownFragments } from '../fragments.ts';
import { expectClose, randomFloats, randomHalves, runPlan, withGpu } from '../testing.ts';
import type { FragmentForwardChoice } from './choose.ts';
import { planConv2dForward } from './forward.ts';
import { planConv2dInputGradient } from './input-gradient.ts';
import { conv2dForward, conv2dInputGradient } from './reference.ts';
import { conv2dLengths, conv2dShape } from './shape.ts';

// Everything but the instructions themselves, which no software adapter has: these are emulated.
describe('conv2d on emulated subgroup matrices', { timeout: 120_000 }, () => {
  withEmulatedSubgroupMatrices('conv2d/subgroup-matrix-forward');
  const gpu = withGpu();
  const square = { variant: 'subgroup-matrix', tileM: 64, tileN: 64, element: 'f16', splits: 1 } as const;
  const cases: readonly (readonly [string, Parameters<typeof conv2dShape>[0], FragmentForwardChoice])[] = [
    [
      '3x3, fewer channels than a step has, pixels of several images in a tile',
      { input: [3, 7, 6, 12], kernel: [3, 3, 12, 68], strides: [1, 1], padding: 'same' },
      square,
    ],
    [
      '3x3 with strides and dilations, odd channels',
      { input: [2, 19, 14, 5], kernel: [3, 2, 5, 7], strides: [2, 1], padding: 'valid', dilations: [1, 3] },
      square,
    ],
    [
      '1x1, more channels than a step has',
      { input: [2, 9, 8, 44], kernel: [1, 1, 44, 72], strides: [1, 1], padding: 'same' },
      { ...square, tileM: 128 },
    ],
    [
      '5x5 in 3 parts, of float32',
      { input: [1, 8, 8, 8], kernel: [5, 5, 8, 20], strides: [1, 1], padding: 'same' },
      { ...square, tileM: 32, element: 'f32', splits: 3 },
    ],
  ];

  it.each(cases)('%s', async (_name, options, choice) => {
    const s = conv2dShape(options);
    const lengths = conv2dLengths(s);
    const target = emulatedTarget(gpu().target);
    const [x, kernel] = [randomHalves(lengths.x, 1), randomHalves(lengths.kernel, 2)];
    const [bias, residual] = [randomFloats(s.co, 3), randomFloats(lengths.y, 4)];
    const plan = planConv2dForward(s, { bias: true, relu: true, residual: true }, target, choice);
    expect(plan.dispatches.map(({ shader }) => shader)).toContain('conv2d/subgroup-matrix-forward');
    const { y } = await runPlan(gpu(), plan, { x, kernel, bias, residual }, { y: lengths.y });
    const sums = conv2dForward(s, x, kernel, bias, false);
    const expected = sums.map((sum, i) => Math.max(sum + (residual[i] ?? NaN), 0));
    expectClose(y, expected, { terms: s.kh * s.kw * s.ci + 2 });
  });

  it('with strides, backwards', async () => {
    const s = conv2dShape({ input: [2, 9, 7, 8], kernel: [3, 3, 8, 16], strides: [2, 2], padding: 'same' });
    const lengths = conv2dLengths(s);
    const [dy, kernel] = [randomHalves(lengths.y, 1), randomHalves(lengths.kernel, 2)];
    const plan = planConv2dInputGradient(s, emulatedTarget(gpu().target), square);
    const { dx } = await runPlan(gpu(), plan, { dy, kernel }, { dx: lengths.x });
    expectClose(dx, conv2dInputGradient(s, dy, kernel), { terms: s.kh * s.kw * s.co });
  });

  it('is chosen where the operands allow it', () => {
    const s = conv2dShape({
      input: [8, 56, 56, 64],
      kernel: [3, 3, 64, 64],
      strides: [1, 1],
      padding: 'same',
    });
    const epilogue = { bias: false, relu: false };
    const target = { ...emulatedTarget(gpu().target), kind: 'gpu' as const };
    const variants = (subgroupMatrices: typeof knownFragments) => {
      const { variant, float16 } = planConv2dForward(s, epilogue, { ...target, subgroupMatrices });
      return [variant, float16?.plan.variant];
    };
    const [halves, , singles] = knownFragments;
    expect(variants([])).toEqual(['tiled', undefined]);
    expect(variants(halves ? [halves] : [])).toEqual(['tiled', 'subgroup-matrix']);
    expect(variants(singles ? [singles] : [])).toEqual(['subgroup-matrix', undefined]);
  });
});
