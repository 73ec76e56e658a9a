import { describe, expect, it } from 'vitest';
import { planConv2dFilterGradient, planConv2dInputGradient } from '../kernels/conv2d/conv2d.ts';
import * as convolution from '../kernels/conv2d/reference.ts';
import { conv2dLengths, conv2dShape } from '../kernels/conv2d/shape.ts';
import { planAdd, planCast } from '../kernels/elementwise/elementwise.ts';
import { planAdam } from '../kernels/optimizers/optimizers.ts';
import { planMatmul } from '../kernels/matmul/matmul.ts';
import { matmulReference } from '../kernels/matmul/reference.ts';
import { randomFloats, relativeError, runFloat16, runPlan, withGpu } from '../kernels/testing.ts';
import { frozenCandidates, isWinograd, planConv2dFrozen } from '../kernels/winograd/frozen.ts';
import { planWinogradKernel, transformedKernelLength } from '../kernels/winograd/winograd.ts';
import { GpuBuffer } from '../memory/buffer.ts';
import { withFloat16 } from './float16.ts';

/** The most by which rounding to one of float16's 11 binary digits changes a number. */
const ROUNDING = 2 ** -11;

/** The nearest float16 number, ties to even. */
function nearestFloat16(value: number): number {
  const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
  const whole = Math.floor(value / step);
  const rest = value / step - whole;
  const up = rest > 0.5 || (rest === 0.5 && whole % 2 !== 0);
  return (whole + (up ? 1 : 0)) * step;
}

const rounded = (values: Float32Array): Float32Array => values.map(nearestFloat16);

describe('a plan specialised for float16 buffers', () => {
  const gpu = withGpu({ backend: 'null', bindingLimit: 4096 });
  it('has half the bytes, in slices too, and is made once', () => {
    const plan = planAdd({ count: 3000 }, gpu().target);
    const made = ['a', 'b', 'y'].map((name) => [name, fake(name, 6000, true)] as const);
    const specialised = withFloat16(plan, Object.fromEntries(made));
    expect(specialised.bytes).toBe(plan.bytes / 2);
    expect(specialised.dispatches.map(({ bindings }) => bindings['y'])).toEqual(
      plan.dispatches.map(({ bindings }) => {
        const { offset, size } = bindings['y'] as { offset: number; size: number };
        return { buffer: 'y', offset: offset / 2, size: size / 2 };
      }),
    );
    expect(specialised.dispatches[0]?.constants).toEqual({ WORKGROUP: 64, Stored: 'f16' });
    expect(withFloat16(plan, Object.fromEntries(made))).toBe(specialised);
    const plain = Object.fromEntries(made.map(([name, b]) => [name, fake(name, b.size)]));
    expect(withFloat16(plan, plain)).toBe(plan);
  });

  it('is refused by a device that has no such numbers', () => {
    (gpu().features as Set<string>).delete('shader-f16');
    expect(() => gpu().createBuffer(8, 'x', { float16: true })).toThrow(/--precision float32/);
    (gpu().features as Set<string>).add('shader-f16');
  });

  it('is refused where a shader knows float32 only, or wants its tensors alike', () => {
    const options = { learningRate: 1, beta1: 0.9, beta2: 0.9, epsilon: 1, amsgrad: false };
    const adam = planAdam({ count: 4, ...options, weightDecay: 0, step: 1 }, gpu().target);
    const half = fake('g', 8, true);
    expect(() => withFloat16(adam, { g: half })).toThrow(/'g' holds float32 numbers/);
    const add = planAdd({ count: 4 }, gpu().target);
    expect(() => withFloat16(add, { a: half, b: fake('b', 16), y: half })).toThrow(/'b' is float32/);
  });

  function fake(label: string, size: number, float16 = false): GpuBuffer {
    return new GpuBuffer(size, size, label, { float16 });
  }
});

describe('kernels on float16 buffers', { timeout: 240_000 }, () => {
  const gpu = withGpu();

  it('round to the nearest number, and only what is stored', async () => {
    const x = Float32Array.of(0, 1, -1, 1 / 3, 2049, 2051, 65_504, 1e-5, 3e-8, -0.1, 6.1e-5);
    const count = x.length;
    const { y } = await runFloat16(gpu(), planCast({ count }, gpu().target), { x }, { y: count }, ['y']);
    expect([...y]).toEqual([...rounded(x)]);
  });

  it('convolve, with each kind of kernel', async () => {
    const s = conv2dShape({ input: [2, 9, 7, 12], kernel: [3, 3, 12, 36], strides: [1, 1], padding: 'same' });
    const lengths = conv2dLengths(s);
    const [x, kernel] = [randomFloats(lengths.x, 1), randomFloats(lengths.kernel, 2)];
    const bias = randomFloats(s.co, 3);
    const epilogue = { bias: true, relu: true };
    const expected = convolution.conv2dForward(s, rounded(x), rounded(kernel), bias, true);
    const kinds = new Map(
      frozenCandidates(s, epilogue, gpu().target).map((choice) => [
        isWinograd(choice) ? choice.product : choice.variant,
        choice,
      ]),
    );
    expect(kinds.size).toBeGreaterThan(2);
    for (const choice of kinds.values()) {
      const plan = planConv2dFrozen(s, epilogue, gpu().target, choice);
      const given = { x, bias, residual: null };
      const weights = isWinograd(choice)
        ? await runFloat16(
            gpu(),
            planWinogradKernel(s, choice, gpu().target),
            { kernel },
            { transformedKernel: transformedKernelLength(s, choice) },
            ['kernel'],
          )
        : { kernel };
      const { y } = await runFloat16(gpu(), plan, { ...given, ...weights }, { y: lengths.y }, [
        'x',
        'kernel',
        'y',
      ]);
      expect(relativeError(y, expected), JSON.stringify(choice)).toBeLessThan(ROUNDING);
    }
  });

  it('compute gradients, those of weights in float32', async () => {
    const s = conv2dShape({ input: [2, 9, 7, 5], kernel: [3, 3, 5, 8], strides: [2, 1], padding: 'same' });
    const lengths = conv2dLengths(s);
    const [x, kernel] = [randomFloats(lengths.x, 1), randomFloats(lengths.kernel, 2)];
    const dy = randomFloats(lengths.y, 3);
    const halves = ['x', 'kernel', 'dy', 'dx'];
    const { dx } = await runFloat16(
      gpu(),
      planConv2dInputGradient(s, gpu().target),
      { kernel, dy },
      { dx: lengths.x },
      halves,
    );
    expect(relativeError(dx, convolution.conv2dInputGradient(s, rounded(dy), rounded(kernel)))).toBeLessThan(
      ROUNDING,
    );
    const { dkernel } = await runFloat16(
      gpu(),
      planConv2dFilterGradient(s, gpu().target),
      { x, dy },
      { dkernel: lengths.kernel },
      halves,
    );
    expect(relativeError(dkernel, convolution.conv2dFilterGradient(s, rounded(x), rounded(dy)))).toBeLessThan(
      1e-6,
    );
  });

  it('multiply matrices of any mixture of types', async () => {
    for (const shape of [
      { m: 20, n: 36, k: 24 },
      { m: 9, n: 1, k: 50, transposeB: true },
      { m: 64, n: 64, k: 33, transposeA: true },
    ]) {
      const [a, b] = [randomFloats(shape.m * shape.k, 1), randomFloats(shape.k * shape.n, 2)];
      for (const halves of [['a'], ['b', 'c'], ['a', 'b', 'c']]) {
        const [ra, rb] = [halves.includes('a') ? rounded(a) : a, halves.includes('b') ? rounded(b) : b];
        const plan = planMatmul(shape, { bias: false, relu: false }, gpu().target);
        const { c } = await runFloat16(gpu(), plan, { a, b, bias: null }, { c: shape.m * shape.n }, halves);
        const limit = halves.includes('c') ? ROUNDING : 1e-6;
        expect(relativeError(c, matmulReference(shape, ra, rb)), halves.join()).toBeLessThan(limit);
      }
    }
  });

  it('leave float32 results as they are', async () => {
    const x = randomFloats(100);
    const { y } = await runPlan(gpu(), planCast({ count: 100 }, gpu().target), { x }, { y: 100 });
    expect([...y]).toEqual([...x]);
  });
});
