import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelTarget } from '../../commands/plan.ts';
import type { Gpu } from '../../device/gpu.ts';
import { expectClose, randomFloats, runPlan, withGpu } from '../testing.ts';
import type { FilterGradientChoice, ForwardChoice } from './choose.ts';
import { planConv2dFilterGradient } from './filter-gradient.ts';
import { planConv2dForward } from './forward.ts';
import type { Conv2dEpilogue } from './epilogue.ts';
import { planConv2dInputGradient } from './input-gradient.ts';
import { planNaiveFilterGradient, planNaiveForward, planNaiveInputGradient } from './naive.ts';
import * as reference from './reference.ts';
import { conv2dLengths, conv2dShape, type Conv2dShape } from './shape.ts';
import { OUTER_PRODUCT_STEP } from './subgroup-tiles.ts';

/** Convolutions of every kind: odd sizes, channels that are no multiples of 4, strides, dilations, both paddings. */
function shapesOf(
  side: fc.Arbitrary<number>,
  channels: fc.Arbitrary<number>,
  tap: fc.Arbitrary<number>,
): fc.Arbitrary<Conv2dShape> {
  const stride = fc.integer({ min: 1, max: 3 });
  return fc
    .record({
      input: fc.tuple(fc.integer({ min: 1, max: 3 }), side, side, channels),
      taps: fc.tuple(tap, tap),
      co: channels,
      strides: fc.tuple(stride, stride),
      dilations: fc.tuple(stride, stride),
      padding: fc.constantFrom('same' as const, 'valid' as const),
    })
    .filter(
      ({ input, taps, dilations, padding }) =>
        padding === 'same' || taps.every((k, i) => (k - 1) * (dilations[i] ?? 1) < (input[i + 1] ?? 0)),
    )
    .map(({ input, taps, co, strides, dilations, padding }) =>
      conv2dShape({ input, kernel: [...taps, input[3], co], strides, dilations, padding }),
    );
}

const shapes = shapesOf(
  fc.integer({ min: 1, max: 11 }),
  fc.constantFrom(1, 2, 3, 4, 5, 8, 12, 20, 36),
  fc.integer({ min: 1, max: 4 }),
);
/** Shapes of which hardly a tensor fits into 4 KiB. */
const larger = shapesOf(
  fc.integer({ min: 6, max: 9 }),
  fc.constantFrom(12, 15, 24, 34),
  fc.integer({ min: 1, max: 3 }),
);

async function checkForward(
  gpu: Gpu,
  s: Conv2dShape,
  plan: (epilogue: Conv2dEpilogue) => ReturnType<typeof planConv2dForward>,
  epilogue: Conv2dEpilogue,
): Promise<void> {
  const lengths = conv2dLengths(s);
  const { channels, offset } = epilogue.outputSlice ?? { channels: s.co, offset: 0 };
  const length = (lengths.y / s.co) * channels;
  const [x, kernel, bias, residual] = [
    randomFloats(lengths.x, 1),
    randomFloats(lengths.kernel, 2),
    epilogue.bias ? randomFloats(s.co, 3) : null,
    epilogue.residual ? randomFloats(length, 4) : null,
  ];
  const { y } = await runPlan(gpu, plan(epilogue), { x, kernel, bias, residual }, { y: length });
  const isOurs = (i: number) => i % channels >= offset && i % channels < offset + s.co;
  const sums = reference.conv2dForward(s, x, kernel, bias, epilogue.relu && !residual);
  const expected = residual
    ? sums.map((value, i) => {
        const sum = value + (residual[Math.floor(i / s.co) * channels + offset + (i % s.co)] ?? NaN);
        return epilogue.relu ? Math.max(sum, 0) : sum;
      })
    : sums;
  expectClose(
    y.filter((_, i) => isOurs(i)),
    expected,
    { terms: s.kh * s.kw * s.ci + 2 },
  );
  // Channels outside the slice are left alone.
  expect(y.every((value, i) => isOurs(i) || Number.isNaN(value))).toBe(true);
}

async function checkInputGradient(
  gpu: Gpu,
  s: Conv2dShape,
  plan: ReturnType<typeof planConv2dInputGradient>,
): Promise<void> {
  const lengths = conv2dLengths(s);
  const [dy, kernel] = [randomFloats(lengths.y, 1), randomFloats(lengths.kernel, 2)];
  const { dx } = await runPlan(gpu, plan, { dy, kernel }, { dx: lengths.x });
  expectClose(dx, reference.conv2dInputGradient(s, dy, kernel), { terms: s.kh * s.kw * s.co });
}

async function checkFilterGradient(
  gpu: Gpu,
  s: Conv2dShape,
  plan: ReturnType<typeof planConv2dFilterGradient>,
): Promise<void> {
  const lengths = conv2dLengths(s);
  const [x, dy] = [randomFloats(lengths.x, 1), randomFloats(lengths.y, 2)];
  const { dkernel } = await runPlan(gpu, plan, { x, dy }, { dkernel: lengths.kernel });
  expectClose(dkernel, reference.conv2dFilterGradient(s, x, dy), { terms: s.n * s.oh * s.ow });
}

/** The forward kernels that can run on this adapter. */
function forwardChoices(target: KernelTarget): ForwardChoice[] {
  const everywhere: ForwardChoice[] = [
    // Each of these takes a software adapter seconds to compile: the smallest and the largest tile, whole and split.
    { variant: 'tiled', rows: 4, columns: 1, splits: 3 },
    { variant: 'tiled', rows: 8, columns: 2, splits: 1 },
    { variant: 'register', pixels: 4 },
    { variant: 'register', pixels: 8 },
  ];
  const subgroups = [1, 2, 3, 4].map((groups): ForwardChoice => ({ variant: 'subgroup', groups }));
  const outer = OUTER_PRODUCT_STEP.map(([tileM, tileN]): ForwardChoice => ({
    variant: 'outer-product',
    tileM,
    tileN,
  }));
  return target.subgroupSize === 8 ? [...everywhere, ...subgroups, ...outer] : everywhere;
}

function filterGradientChoices(target: KernelTarget): FilterGradientChoice[] {
  const everywhere: FilterGradientChoice[] = [
    // Each of these takes a software adapter seconds to compile: the smallest and the largest tile, whole and split.
    { variant: 'tiled', rows: 4, columns: 1, splits: 3 },
    { variant: 'tiled', rows: 8, columns: 2, splits: 1 },
    { variant: 'register', splits: 1 },
    { variant: 'register', splits: 3 },
  ];
  const subgroups = [1, 3].flatMap((splits) =>
    ([1, 2] as const).map((columns): FilterGradientChoice => ({ variant: 'subgroup', columns, splits })),
  );
  return target.subgroupSize === 8 ? [...everywhere, ...subgroups] : everywhere;
}

/** Compiling for a software adapter on a busy machine takes its time. */
const patient = { timeout: 240_000 };
const runs = { seed: 7, numRuns: 12 };
/** The same epilogue wherever the epilogue is not the point: each one has to be compiled. */
const full: Conv2dEpilogue = { bias: true, relu: true, residual: true };

describe('conv2d on random shapes, each kernel against float64', patient, () => {
  const gpu = withGpu();

  it('naive', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.boolean(), async (s, relu) => {
        const { target } = gpu();
        await checkForward(gpu(), s, (f) => planNaiveForward(s, f, target), { bias: relu, relu });
        await checkInputGradient(gpu(), s, planNaiveInputGradient(s, target));
        await checkFilterGradient(gpu(), s, planNaiveFilterGradient(s, target));
      }),
      { ...runs, numRuns: 30 },
    );
  });

  it('forward, every variant', async () => {
    for (const choice of forwardChoices(gpu().target)) {
      await fc.assert(
        fc.asyncProperty(shapes, async (s) => {
          await checkForward(gpu(), s, (f) => planConv2dForward(s, f, gpu().target, choice), full);
        }),
        runs,
      );
    }
  });

  it('adds a residual and writes into a slice, every variant', async () => {
    const { target } = gpu();
    const one = { strides: [1, 2], padding: 'same' } as const;
    const aligned = conv2dShape({ input: [2, 5, 7, 8], kernel: [3, 1, 8, 12], ...one });
    const odd = conv2dShape({ input: [2, 5, 7, 3], kernel: [3, 1, 3, 6], ...one });
    for (const [s, slice] of [
      [aligned, undefined],
      [aligned, { channels: 28, offset: 8 }],
      [aligned, { channels: 19, offset: 3 }],
      [odd, undefined],
      [odd, { channels: 9, offset: 2 }],
    ] as const) {
      for (const choice of forwardChoices(target)) {
        const plan = (f: Conv2dEpilogue) => planConv2dForward(s, f, target, choice);
        await checkForward(gpu(), s, plan, { ...full, ...(slice && { outputSlice: slice }) });
      }
      const naive = (f: Conv2dEpilogue) => planNaiveForward(s, f, target);
      await checkForward(gpu(), s, naive, { ...full, ...(slice && { outputSlice: slice }) });
    }
    expect(() =>
      planConv2dForward(odd, { bias: false, relu: false, outputSlice: { channels: 9, offset: 4 } }, target),
    ).toThrow(expect.objectContaining({ code: 'conv2d/slice' }));
  });

  it('lets NaN through its relu, every variant', async () => {
    const { target } = gpu();
    // 6 output channels go through the copying of channels, 8 do not.
    for (const co of [6, 8]) {
      const s = conv2dShape({
        input: [1, 2, 2, 4],
        kernel: [1, 1, 4, co],
        strides: [1, 1],
        padding: 'valid',
      });
      const x = new Float32Array(16).fill(1).fill(NaN, 0, 4);
      const kernel = new Float32Array(4 * co).fill(1);
      const bias = new Float32Array(co);
      const plans = forwardChoices(target).map((choice) => planConv2dForward(s, full, target, choice));
      for (const plan of [planNaiveForward(s, full, target), ...plans]) {
        const { y } = await runPlan(
          gpu(),
          plan,
          { x, kernel, bias, residual: new Float32Array(4 * co) },
          { y: 4 * co },
        );
        expect([...y], plan.variant).toEqual(Array.from({ length: 4 * co }, (_, i) => (i < co ? NaN : 4)));
      }
    }
  });

  it('input gradient, every variant', async () => {
    for (const choice of forwardChoices(gpu().target)) {
      await fc.assert(
        fc.asyncProperty(shapes, async (s) => {
          await checkInputGradient(gpu(), s, planConv2dInputGradient(s, gpu().target, choice));
        }),
        runs,
      );
    }
  });

  it('filter gradient, every variant, whole and split', async () => {
    for (const choice of filterGradientChoices(gpu().target)) {
      await fc.assert(
        fc.asyncProperty(shapes, async (s) => {
          await checkFilterGradient(gpu(), s, planConv2dFilterGradient(s, gpu().target, choice));
        }),
        runs,
      );
    }
  });

  it('what is chosen here, with a grid of few workgroups a side', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.boolean(), async (s, bias) => {
        // Folding is in all dimensions but the last, so a narrow grid is a long one in y.
        const target = { ...gpu().target, maxGrid: 7 };
        await checkForward(gpu(), s, (f) => planConv2dForward(s, f, target), { bias, relu: !bias });
        await checkInputGradient(gpu(), s, planConv2dInputGradient(s, target));
        await checkFilterGradient(gpu(), s, planConv2dFilterGradient(s, target));
      }),
      { ...runs, numRuns: 40 },
    );
  });
});

describe('conv2d where tensors exceed a binding', patient, () => {
  const gpu = withGpu({ bindingLimit: 4096 });

  it('agrees on random shapes, and really splits', async () => {
    let split = 0;
    await fc.assert(
      fc.asyncProperty(larger, fc.boolean(), async (s, relu) => {
        const { target } = gpu();
        const plan = (f: Conv2dEpilogue) => planConv2dForward(s, f, target);
        if (plan({ bias: true, relu }).dispatches.length > 8) split++;
        await checkForward(gpu(), s, plan, { bias: true, relu });
        await checkInputGradient(gpu(), s, planConv2dInputGradient(s, target));
        await checkFilterGradient(gpu(), s, planConv2dFilterGradient(s, target));
        await checkFilterGradient(gpu(), s, planNaiveFilterGradient(s, target));
      }),
      runs,
    );
    expect(split).toBeGreaterThan(3);
  });

  it('agrees for every other variant', async () => {
    const s = conv2dShape({
      input: [2, 9, 7, 20],
      kernel: [3, 2, 20, 24],
      strides: [2, 1],
      padding: 'same',
    });
    const { target } = gpu();
    // One size of each: every epilogue has to be compiled, and sizes differ in nothing that matters here.
    const isOne = (choice: ForwardChoice) =>
      choice.variant === 'tiled'
        ? choice.rows === 4
        : choice.variant === 'register'
          ? choice.pixels === 4
          : choice.variant === 'outer-product'
            ? choice.tileM === 64
            : choice.variant === 'subgroup' && choice.groups === 1;
    for (const choice of forwardChoices(target).filter(isOne)) {
      await checkForward(gpu(), s, (f) => planConv2dForward(s, f, target, choice), {
        ...full,
        outputSlice: { channels: 36, offset: 4 },
      });
      await checkInputGradient(gpu(), s, planConv2dInputGradient(s, target, choice));
    }
    for (const choice of filterGradientChoices(target)) {
      await checkFilterGradient(gpu(), s, planConv2dFilterGradient(s, target, choice));
    }
  });
});

describe('conv2d on layers of VGG16 and InceptionV3', patient, () => {
  const gpu = withGpu();

  it.each([
    ['VGG16 block1_conv1', [1, 150, 150, 3], [3, 3, 3, 64], [1, 1], 'same'],
    ['VGG16 block3_conv2', [2, 37, 37, 256], [3, 3, 256, 256], [1, 1], 'same'],
    ['VGG16 block5_conv1', [2, 9, 9, 512], [3, 3, 512, 512], [1, 1], 'same'],
    ['InceptionV3 conv2d', [2, 150, 150, 3], [3, 3, 3, 32], [2, 2], 'valid'],
    ['InceptionV3 conv2d_3', [1, 36, 36, 64], [1, 1, 64, 80], [1, 1], 'valid'],
    ['InceptionV3 7x1', [2, 7, 7, 160], [7, 1, 160, 192], [1, 1], 'same'],
    ['InceptionV3 1x3', [1, 3, 3, 384], [1, 3, 384, 384], [1, 1], 'same'],
    ['ResNet50 shortcut', [1, 38, 38, 256], [1, 1, 256, 512], [2, 2], 'valid'],
  ] as const)('%s', async (_name, input, kernelShape, strides, padding) => {
    const s = conv2dShape({ input, kernel: kernelShape, strides, padding });
    const lengths = conv2dLengths(s);
    const [x, kernel, dy] = [
      randomFloats(lengths.x, 1),
      randomFloats(lengths.kernel, 2),
      randomFloats(lengths.y, 3),
    ];
    const { target } = gpu();
    const none = { bias: false, relu: false };
    const { y } = await runPlan(
      gpu(),
      planConv2dForward(s, none, target),
      { x, kernel, bias: null },
      { y: lengths.y },
    );
    const { dx } = await runPlan(
      gpu(),
      planConv2dInputGradient(s, target),
      { dy, kernel },
      { dx: lengths.x },
    );
    const { dkernel } = await runPlan(
      gpu(),
      planConv2dFilterGradient(s, target),
      { x, dy },
      { dkernel: lengths.kernel },
    );

    // y is linear in x and in kernel, so <dy, y> = <x, dx> = <kernel, dkernel>: every element counts.
    const product = dot(dy, y);
    const scale = Math.sqrt(dot(dy, dy) * dot(y, y));
    expect(Math.abs(product - dot(x, dx)) / scale).toBeLessThan(1e-6);
    expect(Math.abs(product - dot(kernel, dkernel)) / scale).toBeLessThan(1e-6);
    // And 50 elements of y in float64.
    const at = Array.from({ length: 50 }, (_, i) => Math.floor(((i + 0.5) / 50) * lengths.y));
    expectClose(
      Float32Array.from(at, (i) => y[i] ?? NaN),
      at.map((i) => reference.conv2dForwardAt(s, x, kernel, i)),
      { terms: s.kh * s.kw * s.ci },
    );
  });
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

describe('conv2d, repeated', patient, () => {
  const gpu = withGpu();

  it('gives the same bits every time, split sums included', async () => {
    const s = conv2dShape({ input: [1, 40, 40, 4], kernel: [3, 3, 4, 32], strides: [1, 1], padding: 'same' });
    const lengths = conv2dLengths(s);
    const [x, dy] = [randomFloats(lengths.x, 1), randomFloats(lengths.y, 2)];
    const plan = planConv2dFilterGradient(s, gpu().target);
    expect(plan.temporaries).toHaveProperty('partials');
    const once = await runPlan(gpu(), plan, { x, dy }, { dkernel: lengths.kernel });
    const again = await runPlan(gpu(), plan, { x, dy }, { dkernel: lengths.kernel });
    expect(again.dkernel).toEqual(once.dkernel);
  });
});
