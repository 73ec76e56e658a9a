import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../device/gpu.ts';
import type { Conv2dEpilogue } from '../conv2d/epilogue.ts';
import * as reference from '../conv2d/reference.ts';
import { conv2dLengths, conv2dShape, type Conv2dShape } from '../conv2d/shape.ts';
import { expectClose, randomFloats, runPlan, withGpu } from '../testing.ts';
import { winogradCandidates, type WinogradChoice } from './choose.ts';
import { planWinograd, planWinogradKernel, transformedKernelLength } from './winograd.ts';

const interleave = fc.integer({ min: 1, max: 13 });
const channels = fc.constantFrom(4, 8, 12, 20, 36);
const shapesOf = (taps: readonly [number, number]) =>
  fc
    .record({
      input: fc.tuple(fc.integer({ min: 1, max: 3 }), interleave, interleave, channels),
      co: channels,
      padding: fc.constantFrom('same' as const, 'valid' as const),
    })
    .filter(({ input, padding }) => padding === 'same' || (input[1] >= taps[0] && input[2] >= taps[1]))
    .map(({ input, co, padding }) =>
      conv2dShape({ input, kernel: [...taps, input[3], co], strides: [1, 1], padding }),
    );

/** y on this GPU, from a kernel that it has transformed. */
async function convolve(
  gpu: Gpu,
  s: Conv2dShape,
  epilogue: Conv2dEpilogue,
  choice: WinogradChoice,
  inputs: Readonly<Record<'x' | 'kernel' | 'bias' | 'residual', Float32Array | null>>,
  before?: Float32Array,
): Promise<Float32Array> {
  const { x, kernel, bias, residual } = inputs;
  const length = before?.length ?? conv2dLengths(s).y;
  const { transformedKernel } = await runPlan(
    gpu,
    planWinogradKernel(s, choice, gpu.target),
    { kernel },
    { transformedKernel: transformedKernelLength(s, choice) },
  );
  const given = { x, transformedKernel, bias, residual, ...(before && { y: before }) };
  const { y } = await runPlan(gpu, planWinograd(s, epilogue, gpu.target, choice), given, { y: length });
  return y;
}

async function check(gpu: Gpu, s: Conv2dShape, choice: WinogradChoice): Promise<void> {
  const lengths = conv2dLengths(s);
  const x = randomFloats(lengths.x, 1);
  const kernel = randomFloats(lengths.kernel, 2);
  const bias = randomFloats(s.co, 3);
  const epilogue = { bias: true, relu: true };
  const y = await convolve(gpu, s, epilogue, choice, { x, kernel, bias, residual: null });
  expectClose(y, reference.conv2dForward(s, x, kernel, bias, true), { terms: s.kh * s.kw * s.ci + 1 });
}

/** With a residual, in the midst of a wider tensor. */
async function checkSlice(gpu: Gpu, s: Conv2dShape, choice: WinogradChoice): Promise<void> {
  const lengths = conv2dLengths(s);
  const wide = { channels: s.co + 12, offset: 8 };
  const pixels = s.n * s.oh * s.ow;
  const [x, kernel, bias] = [
    randomFloats(lengths.x, 1),
    randomFloats(lengths.kernel, 2),
    randomFloats(s.co, 3),
  ];
  const residual = randomFloats(pixels * wide.channels, 4);
  const before = randomFloats(pixels * wide.channels, 5);
  const plain = reference.conv2dForward(s, x, kernel, bias, false);
  const expected = Array.from(before, (value, i) => {
    const channel = (i % wide.channels) - wide.offset;
    if (channel < 0 || channel >= s.co) return value;
    const sum = plain[Math.floor(i / wide.channels) * s.co + channel] ?? NaN;
    return Math.max(0, sum + (residual[i] ?? NaN));
  });
  const epilogue = { bias: true, relu: true, residual: true, outputSlice: wide };
  const y = await convolve(gpu, s, epilogue, choice, { x, kernel, bias, residual }, before);
  expectClose(y, expected, { terms: s.kh * s.kw * s.ci + 2 });
}

/** The candidates of both kinds of products that can run here. */
function choices(gpu: Gpu, s: Conv2dShape): WinogradChoice[] {
  const epilogue = { bias: true, relu: true };
  const here = winogradCandidates(s, epilogue, gpu.target);
  const elsewhere = winogradCandidates(s, epilogue, { ...gpu.target, kind: 'gpu' });
  return [...here, ...elsewhere];
}

const patient = { timeout: 240_000 };
const any = conv2dShape({ input: [2, 11, 9, 12], kernel: [3, 3, 12, 36], strides: [1, 1], padding: 'same' });

describe('winograd', patient, () => {
  const gpu = withGpu();

  it('agrees with float64 on random shapes, every candidate', async () => {
    const candidates = choices(gpu(), any);
    expect(new Set(candidates.map(({ output }) => output))).toEqual(new Set([2, 3, 4]));
    for (const choice of candidates) {
      await fc.assert(
        fc.asyncProperty(shapesOf([3, 3]), (s) => check(gpu(), s, choice)),
        { seed: 7, numRuns: choice.product === 'subgroup' ? 8 : 12 },
      );
    }
  });

  it.each([
    ['a row', [1, 7]],
    ['a column', [7, 1]],
  ] as const)('agrees with float64 for filters of %s, on random shapes', async (_name, taps) => {
    const s = conv2dShape({
      input: [2, 17, 17, 8],
      kernel: [...taps, 8, 12],
      strides: [1, 1],
      padding: 'same',
    });
    const candidates = winogradCandidates(s, { bias: true, relu: true }, gpu().target);
    expect(candidates.length).toBe(gpu().target.subgroupSize === 8 ? 1 : 0);
    for (const choice of candidates) {
      await fc.assert(
        fc.asyncProperty(shapesOf(taps), (random) => check(gpu(), random, choice)),
        { seed: 7, numRuns: 12 },
      );
    }
  });

  it('gives the matrix product large operands, transposed the way that it reads them', async () => {
    const s = conv2dShape({
      input: [2, 32, 31, 36],
      kernel: [3, 3, 36, 64],
      strides: [1, 1],
      padding: 'same',
    });
    for (const choice of choices(gpu(), s).filter(({ product }) => product === 'outer-product')) {
      const plan = planWinograd(s, { bias: true, relu: true }, gpu().target, choice);
      expect(plan.dispatches.map(({ shader }) => shader)).toContain('matmul/outer-product');
      await check(gpu(), s, choice);
    }
  });

  it('adds a residual and writes into a slice, and leaves the channels beside it alone, every kind of pass', async () => {
    const line = conv2dShape({
      input: [2, 9, 7, 12],
      kernel: [7, 1, 12, 36],
      strides: [1, 1],
      padding: 'same',
    });
    const all = choices(gpu(), any);
    const products = ['subgroup', 'outer-product', 'matmul'].map((kind) =>
      all.find(({ product }) => product === kind),
    );
    const outputs = [2, 3].map((size) => all.find(({ output }) => output === size));
    for (const choice of [...products, ...outputs]) if (choice) await checkSlice(gpu(), any, choice);
    for (const choice of choices(gpu(), line)) await checkSlice(gpu(), line, choice);
  });

  it('lets NaN through its relu', async () => {
    const s = conv2dShape({ input: [1, 4, 4, 4], kernel: [3, 3, 4, 4], strides: [1, 1], padding: 'same' });
    const x = new Float32Array(64).fill(NaN);
    const kernel = new Float32Array(144).fill(1);
    const [choice] = choices(gpu(), s);
    if (choice === undefined) throw new Error('no candidate');
    const inputs = { x, kernel, bias: new Float32Array(4), residual: null };
    const y = await convolve(gpu(), s, { bias: true, relu: true }, choice, inputs);
    expect([...y]).toEqual(Array.from(y, () => NaN));
  });
});

describe('winograd where tensors exceed a binding', patient, () => {
  // 36 positions of 32 tiles and 4 channels take 18 KiB: hardly more than that.
  const gpu = withGpu({ bindingLimit: 20_480 });

  it('processes images and tiles in chunks', async () => {
    const s = conv2dShape({ input: [5, 16, 17, 4], kernel: [3, 3, 4, 4], strides: [1, 1], padding: 'same' });
    const candidates = choices(gpu(), s).filter(({ groups }) => groups === 4 || groups === 1);
    expect(candidates.length).toBeGreaterThan(2);
    for (const choice of candidates) {
      const plan = planWinograd(s, { bias: true, relu: true }, gpu().target, choice);
      expect(plan.dispatches.length).toBeGreaterThan(3);
      await check(gpu(), s, choice);
    }
  });

  it('leaves what does not fit to the direct kernels', () => {
    const s = conv2dShape({
      input: [1, 16, 17, 32],
      kernel: [3, 3, 32, 4],
      strides: [1, 1],
      padding: 'same',
    });
    expect(choices(gpu(), s)).toEqual([]);
  });
});
