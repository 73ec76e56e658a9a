import fc from 'fast-check';
import { ConvbaseError } from '@convbase/base';
import { describe, expect, it } from 'vitest';
import type { KernelTarget, Plan } from '../commands/plan.ts';
import * as kernels from './index.ts';
import { gpuTarget, softwareTarget } from './testing-targets.ts';

type Shape = Readonly<Record<string, number>>;
/** A plan of a kernel for numbers that are given by their names. */
type Planned = readonly [shape: Shape, plan: (shape: never, target: KernelTarget) => Plan];

const flags = { gamma: true, beta: true, bias: true, relu: false, residual: false };
const rows = { rows: 6, classes: 10 };
const count = { count: 1000 };
const conv = kernels.conv2dShape({
  input: [2, 9, 9, 8],
  kernel: [3, 3, 8, 16],
  strides: [1, 1],
  padding: 'same',
});
const strided = kernels.conv2dShape({
  input: [2, 9, 9, 4],
  kernel: [3, 3, 4, 4],
  strides: [2, 3],
  padding: 'same',
});
const pool = kernels.poolShape({ input: [2, 9, 9, 8], pool: [3, 3], strides: [2, 2], padding: 'valid' });
const plane = { n: 2, h: 9, w: 9, c: 8 };
const margins = { ...plane, top: 1, bottom: 2, left: 0, right: 1 };
const slice = { rows: 20, channels: 8, totalChannels: 24, offset: 8 };
const norm = { rows: 500, c: 8 };
const epilogue = { bias: true, relu: false, residual: false } as never;
const counted = (plan: (shape: { count: number }, target: KernelTarget) => Plan): Planned => [count, plan];

/** Every `plan..` that the package has, by name. */
const plans: Readonly<Record<string, Planned | readonly Planned[]>> = {
  planConv2dForward: [conv, strided].map((shape): Planned => [
    { ...shape },
    (s: typeof conv, target) => kernels.planConv2dForward(s, epilogue, target),
  ]),
  planConv2dInputGradient: [conv, strided].map((shape): Planned => [
    { ...shape },
    (s: typeof conv, target) => kernels.planConv2dInputGradient(s, target),
  ]),
  planConv2dFilterGradient: [conv, strided].map((shape): Planned => [
    { ...shape },
    (s: typeof conv, target) => kernels.planConv2dFilterGradient(s, target),
  ]),
  planConv2dFrozen: [{ ...conv }, (s: typeof conv, target) => kernels.planConv2dFrozen(s, epilogue, target)],
  planWinogradKernel: [
    { kh: 3, kw: 3, ci: 8, co: 16 },
    (s: { kh: 3; kw: 3; ci: number; co: number }, target) =>
      kernels.planWinogradKernel(s, { output: 4, product: 'matmul', groups: 1 }, target),
  ],
  planActivation: counted(({ count }, target) => kernels.planActivation({ kind: 'sigmoid', count }, target)),
  planActivationGradient: counted(({ count }, target) =>
    kernels.planActivationGradient({ kind: 'tanh', count }, target),
  ),
  planAugment: [
    { ...plane, oh: 5, ow: 4 },
    (s: typeof plane, target) => kernels.planAugment({ ...s, bytes: true }, [{}, {}] as never, target),
  ],
  planConcatRead: [slice, kernels.planConcatRead],
  planConcatWrite: [slice, kernels.planConcatWrite],
  planDropout: [
    count,
    ({ count: n }: { count: number }, target) =>
      kernels.planDropout({ count: n, rate: 0.5, seed: 1, offset: 0 }, target),
  ],
  planAccumulate: counted(kernels.planAccumulate),
  planAdd: counted(kernels.planAdd),
  planCast: counted(kernels.planCast),
  planMultiply: counted(kernels.planMultiply),
  planMaximum: counted(kernels.planMaximum),
  planMaximumGradient: counted(({ count }, target) =>
    kernels.planMaximumGradient({ of: 'a', count }, target),
  ),
  planUnary: counted(({ count }, target) => kernels.planUnary({ kind: 'log', count }, target)),
  planUnaryGradient: counted(({ count }, target) =>
    kernels.planUnaryGradient({ kind: 'log', count }, target),
  ),
  planFill: [
    count,
    ({ count: n }: { count: number }, target) => kernels.planFill({ count: n, value: 1 }, target),
  ],
  planScale: [
    count,
    ({ count: n }: { count: number }, target) => kernels.planScale({ count: n, factor: 2 }, target),
  ],
  planSigmoidCrossEntropy: [rows, kernels.planSigmoidCrossEntropy],
  planSigmoidCrossEntropyGradient: [
    rows,
    (s: typeof rows, target) => kernels.planSigmoidCrossEntropyGradient({ ...s, scale: 1 }, target),
  ],
  planSoftmaxCrossEntropy: [rows, kernels.planSoftmaxCrossEntropy],
  planSoftmaxCrossEntropyGradient: [
    rows,
    (s: typeof rows, target) => kernels.planSoftmaxCrossEntropyGradient({ ...s, scale: 1 }, target),
  ],
  planWeighRows: [rows, kernels.planWeighRows],
  planBinaryCorrect: [count, kernels.planBinaryCorrect],
  planCategoricalCorrect: [rows, kernels.planCategoricalCorrect],
  planCrop2d: [margins, kernels.planCrop2d],
  planZeroPad2d: [margins, kernels.planZeroPad2d],
  planGlobalAveragePoolForward: [plane, kernels.planGlobalAveragePoolForward],
  planGlobalAveragePoolInputGradient: [plane, kernels.planGlobalAveragePoolInputGradient],
  planAveragePoolForward: [{ ...pool }, kernels.planAveragePoolForward],
  planAveragePoolInputGradient: [{ ...pool }, kernels.planAveragePoolInputGradient],
  planMaxPoolForward: [{ ...pool }, kernels.planMaxPoolForward],
  planMaxPoolInputGradient: [{ ...pool }, kernels.planMaxPoolInputGradient],
  planOneHot: [rows, kernels.planOneHot],
  planPreprocess: [
    { pixels: 100 },
    (s: { pixels: number }, target) => kernels.planPreprocess({ ...s, mode: 'caffe' }, target),
  ],
  planSoftmax: [rows, kernels.planSoftmax],
  planSoftmaxGradient: [rows, kernels.planSoftmaxGradient],
  planMatmul: [
    { m: 8, n: 16, k: 32, batch: 2 },
    (s: kernels.MatmulShape, target) => kernels.planMatmul(s, {} as never, target),
  ],
  planBatchNormFold: [
    { rows: 72, co: 16 },
    (s: { rows: number; co: number }, target) =>
      kernels.planBatchNormFold({ ...s, epsilon: 1e-3 }, flags, target),
  ],
  planBatchNormInferenceGradient: [
    norm,
    (s: typeof norm, target) =>
      kernels.planBatchNormInferenceGradient({ ...s, epsilon: 1e-3 }, flags, target),
  ],
  planBatchNormNormalize: [
    norm,
    (s: typeof norm, target) => kernels.planBatchNormNormalize({ ...s, epsilon: 1e-3 }, flags, target),
  ],
  planBatchNormStatistics: [norm, kernels.planBatchNormStatistics],
  planBatchNormTrainingGradient: [
    norm,
    (s: typeof norm, target) => kernels.planBatchNormTrainingGradient({ ...s, epsilon: 1e-3 }, flags, target),
  ],
  planMovingAverage: [
    count,
    ({ count: n }: { count: number }, target) =>
      kernels.planMovingAverage({ count: n, momentum: 0.9 }, target),
  ],
  planColumnSum: [{ rows: 500, columns: 8 }, kernels.planColumnSum],
  planSum: counted(kernels.planSum),
  planSumOfSquares: counted(kernels.planSumOfSquares),
  planAdam: [
    count,
    (s: typeof count, target) =>
      kernels.planAdam({ ...s, learningRate: 1, beta1: 0.9, beta2: 0.99, epsilon: 1e-7, step: 1 }, target),
  ],
  planRmsprop: [
    count,
    (s: typeof count, target) =>
      kernels.planRmsprop({ ...s, learningRate: 1, rho: 0.9, epsilon: 1e-7 }, target),
  ],
  planSgd: [count, (s: typeof count, target) => kernels.planSgd({ ...s, learningRate: 1 }, target)],
  planPenalty: [count, (s: typeof count, target) => kernels.planPenalty({ ...s, l1: 1, l2: 1 }, target)],
  planPenaltyGradient: [
    count,
    (s: typeof count, target) => kernels.planPenaltyGradient({ ...s, l1: 1, l2: 1 }, target),
  ],
  planClipByNorm: [count, (s: typeof count, target) => kernels.planClipByNorm({ ...s, clipNorm: 1 }, target)],
  planClipByValue: [
    count,
    (s: typeof count, target) => kernels.planClipByValue({ ...s, clipValue: 1 }, target),
  ],
  planScaleLoss: counted(kernels.planScaleLoss),
  planUnscaleGradient: counted(kernels.planUnscaleGradient),
  planCopyRate: counted(kernels.planCopyRate),
  planFmaRate: [
    { threads: 256, steps: 4 },
    (s: { threads: number; steps: number }, target) =>
      kernels.planFmaRate({ ...s, factor: 1, term: 1 }, target),
  ],
};

/** These have no sizes: one thread each. */
const sizeless = ['planAdamRate', 'planUpdateLossScale'];

describe('sizes that cannot be', () => {
  it('are tried with every plan', () => {
    const all = Object.keys(kernels).filter((name) => name.startsWith('plan'));
    expect([...Object.keys(plans), ...sizeless].sort()).toEqual(all.sort());
  });

  it.each(Object.entries(plans))('%s refuses or plans nothing', (_, planned) => {
    const several = (typeof planned[1] === 'function' ? [planned] : planned) as readonly Planned[];
    for (const [shape, plan] of several) {
      const of = (changed: Shape, target: KernelTarget): Plan => plan(changed as never, target);
      const names = Object.keys(shape).filter((name) => name !== 'offset');
      const odd = fc.constantFrom(0, NaN, -1, -1e9, 0.5, 2.5, Infinity, -Infinity);
      fc.assert(
        fc.property(
          fc.constantFrom(gpuTarget, softwareTarget),
          fc.constantFrom(...names),
          odd,
          (target, name, value) => {
            expect(of(shape, target).dispatches.length).toBeGreaterThan(0);
            // Nothing on that side of an image.
            if (value === 0 && ['top', 'bottom', 'left', 'right', 'padTop', 'padLeft'].includes(name)) return;
            let dispatches: number;
            try {
              dispatches = of({ ...shape, [name]: value }, target).dispatches.length;
            } catch (error) {
              if (!(error instanceof ConvbaseError) && !(error instanceof RangeError)) throw error;
              expect(error.message).toMatch(/ (is|are|has|have) /);
              expect(error.message).not.toMatch(/call stack|array length/);
              return;
            }
            expect(dispatches, `${name} ${value}`).toBe(0);
          },
        ),
        { numRuns: 100 },
      );
    }
  });
});
