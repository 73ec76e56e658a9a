import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../device/gpu.ts';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { expectClose, randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import { chooseMatmul, type MatmulChoice, type MatmulShape } from './choose.ts';
import { planMatmul, planMatmulAs, type MatmulEpilogue } from './matmul.ts';
import { matmulReference } from './reference.ts';
import { gpuTarget as gpu, softwareTarget as software } from '../testing-targets.ts';

const size = fc.integer({ min: 1, max: 70 });
const flag = fc.boolean();

/** Runs a product with a choice and compares with the reference. */
async function check(
  gpu: Gpu,
  choice: MatmulChoice | undefined,
  shape: MatmulShape,
  { bias: hasBias, relu }: MatmulEpilogue,
): Promise<void> {
  const { m, n, k, batch = 1 } = shape;
  const a = randomFloats(batch * m * k, 1);
  const b = randomFloats(batch * k * n, 2);
  const bias = hasBias ? randomFloats(n, 3) : null;
  const epilogue = { bias: hasBias, relu };
  const plan = choice
    ? planMatmulAs(shape, epilogue, gpu.target, choice)
    : planMatmul(shape, epilogue, gpu.target);
  const { c } = await runPlan(gpu, plan, { a, b, bias }, { c: batch * m * n });
  expectClose(c, matmulReference(shape, a, b, { ...(bias ? { bias } : {}), relu }), { terms: k + 1 });
}

describe.each([
  ['bindings as large as the adapter allows', {}],
  // Not smaller: the largest of these shapes would be 120,000 dispatches with 1 KiB, it is 1,440 with 4 KiB.
  ['bindings of 4 KiB', { bindingLimit: 4096 }],
])('the naive matmul with %s', (_name, options) => {
  const gpu = withGpu(options);

  it('agrees with the reference on random shapes', { timeout: 120_000 }, async () => {
    const batch = fc.integer({ min: 1, max: 3 });
    const shapes = fc.record({ m: size, n: size, k: size, batch, transposeA: flag, transposeB: flag });
    const epilogues = fc.record({ bias: flag, relu: flag });
    await fc.assert(
      fc.asyncProperty(shapes, epilogues, fc.constantFrom(1, 1, 2, 5), async (shape, epilogue, splits) => {
        const choice = { variant: 'naive', tileM: 8, tileN: 8, rows: 1, splits } as const;
        await check(gpu(), choice, shape, epilogue);
      }),
      { numRuns: 40 },
    );
  });
});

// Few sets of constants, many sizes: compiling one of these kernels takes a software adapter seconds.
describe('the tiled matmuls', () => {
  const gpu = withGpu();
  const choices: readonly MatmulChoice[] = [
    { variant: 'register', tileM: 8, tileN: 32, rows: 8, splits: 1 },
    { variant: 'outer-product', tileM: 40, tileN: 32, rows: 40, splits: 1 },
    ...[8, 16].map((rows) => ({ variant: 'subgroup', tileM: rows, tileN: 32, rows, splits: 1 }) as const),
    { variant: 'tiled', tileM: 32, tileN: 64, rows: 2, splits: 1 },
  ];

  it('let NaN through their relu', { timeout: 120_000 }, async () => {
    const shape = { m: 2, n: 4, k: 8 };
    const a = new Float32Array(16).fill(1).fill(NaN, 0, 1);
    const b = new Float32Array(32).fill(1);
    const naive = { variant: 'naive', tileM: 8, tileN: 8, rows: 1, splits: 1 } as const;
    for (const choice of [naive, { ...naive, splits: 2 }, ...choices]) {
      const plan = planMatmulAs(shape, { bias: true, relu: true }, gpu().target, choice);
      const { c } = await runPlan(gpu(), plan, { a, b, bias: new Float32Array(4) }, { c: 8 });
      expect([...c], plan.variant).toEqual([NaN, NaN, NaN, NaN, 8, 8, 8, 8]);
    }
  });
  const whole = size.map((count) => 4 * count);
  const ragged = size.map((count) => 2 * count + 1);
  const nothing = { bias: false, relu: false };
  const cases = [
    { name: 'sizes that are multiples of 4', sizes: whole, transposes: {}, splits: 1, epilogue: nothing },
    {
      name: 'odd sizes, a transposed, bias and relu',
      sizes: ragged,
      transposes: { transposeA: true },
      splits: 1,
      epilogue: { bias: true, relu: true },
    },
    {
      name: 'odd sizes, b transposed, split along k',
      sizes: ragged,
      transposes: { transposeB: true },
      splits: 3,
      epilogue: { bias: true, relu: false },
    },
    {
      name: 'both transposed',
      sizes: whole,
      transposes: { transposeA: true, transposeB: true },
      splits: 1,
      epilogue: nothing,
    },
  ];

  describe.each(choices)('$variant, $rows rows a thread', (choice) => {
    it.for(cases)(
      '$name',
      { timeout: 120_000 },
      async ({ sizes, transposes, splits, epilogue }, { skip }) => {
        const { subgroupSize } = gpu().target;
        skip(
          /subgroup|outer/.test(choice.variant) && subgroupSize !== 8,
          'planMatmul takes it only for subgroups of 8',
        );
        const batch = fc.constantFrom(1, 2);
        await fc.assert(
          fc.asyncProperty(sizes, sizes, sizes, batch, (m, n, k, items) =>
            check(gpu(), { ...choice, splits }, { m, n, k, batch: items, ...transposes }, epilogue),
          ),
          { numRuns: 5 },
        );
      },
    );
  });
});

describe('the tile of 128 x 128', () => {
  const gpu = withGpu();

  // One set of constants, the one that reaches most lines: a software adapter takes seconds to compile it.
  it('agrees with the reference on odd sizes', { timeout: 120_000 }, async () => {
    const choice = { variant: 'tiled', tileM: 128, tileN: 128, rows: 8, splits: 2 } as const;
    const nothing = { bias: false, relu: false };
    await check(gpu(), choice, { m: 131, n: 201, k: 67, transposeA: true }, nothing);
    await check(gpu(), choice, { m: 257, n: 129, k: 33, batch: 2, transposeA: true }, nothing);
  });
});

describe('subgroups in workgroups of 32 lanes', () => {
  const gpu = withGpu();

  // As on GPUs whose subgroups have another size than the kernel knows: four of 8 lanes share a workgroup here.
  it('hand rows round whatever their size', { timeout: 120_000 }, async ({ skip }) => {
    skip((gpu().target.leastSubgroupSize ?? 0) < 8, 'subgroups have to have 8 lanes');
    const choice = { variant: 'subgroup', tileM: 16, tileN: 128, rows: 16, splits: 1 } as const;
    const nothing = { bias: false, relu: false };
    await check(gpu(), choice, { m: 37, n: 270, k: 45 }, { bias: true, relu: true });
    await check(gpu(), { ...choice, splits: 2 }, { m: 50, n: 131, k: 67, transposeA: true }, nothing);
  });
});

describe('sums of outer products', () => {
  const gpu = withGpu();
  const tiles = [
    [64, 32],
    [32, 64],
    [24, 64],
  ] as const;

  // Odd sizes of m and k and operands in the other order come packed; c needs n to be a multiple of 4.
  it.for(tiles)('tile %i x %i', { timeout: 120_000 }, async ([tileM, tileN], { skip }) => {
    skip(gpu().target.subgroupSize !== 8, 'planMatmul takes it only for subgroups of 8');
    const shapes = fc.record({
      m: fc.integer({ min: 1, max: 150 }),
      n: fc.integer({ min: 1, max: 40 }).map((count) => 4 * count),
      k: size,
      batch: fc.constantFrom(1, 3),
      transposeA: flag,
      transposeB: flag,
    });
    // One tile with every epilogue, the others as they are used most: each set of constants is compiled.
    const wants = tileM === 24 ? fc.boolean() : fc.constant(false);
    const both = wants.map((wanted) => ({ bias: wanted, relu: wanted }));
    await fc.assert(
      fc.asyncProperty(shapes, both, fc.constantFrom(1, 3), async (shape, epilogue, splits) => {
        const choice = { variant: 'outer-product', tileM, tileN, rows: tileM, splits } as const;
        const plan = planMatmulAs(shape, epilogue, gpu().target, choice);
        expect(plan.dispatches.some(({ shader }) => shader === 'matmul/outer-product')).toBe(true);
        await check(gpu(), choice, shape, epilogue);
      }),
      { numRuns: 20 },
    );
  });

  it('read operands in the order of k where they lie so, and pack them where they do not', () => {
    const shaders = (shape: MatmulShape) =>
      planMatmul(
        shape,
        { bias: false, relu: false },
        { ...gpu().target, subgroupSize: 8, kind: 'software' },
      ).dispatches.map(({ shader, bindings: { source } }) =>
        typeof source === 'string' ? `${shader} of ${source}` : shader,
      );
    const sizes = { m: 400, n: 128, k: 64, batch: 36 };
    expect(shaders({ ...sizes, transposeA: true })).toEqual(['matmul/outer-product']);
    expect(shaders(sizes)).toEqual(['matmul/pack of a', 'matmul/outer-product']);
    expect(shaders({ ...sizes, transposeB: true })).toEqual([
      'matmul/pack of a',
      'matmul/pack of b',
      'matmul/outer-product',
    ]);
    expect(shaders({ ...sizes, m: 402, transposeA: true })).toEqual([
      'matmul/pack of a',
      'matmul/outer-product',
    ]);
    expect(shaders({ ...sizes, n: 130 })).toEqual(['matmul/subgroup']);
  });
});

describe('matrices larger than a binding', () => {
  const gpu = withGpu({ bindingLimit: 65_536 });

  // A dense layer as VGG16's fc1 is, in small: the kernel is several times as large as a binding.
  it.each<[string, MatmulShape, MatmulEpilogue]>([
    ['forward', { m: 20, n: 128, k: 1000 }, { bias: true, relu: true }],
    ['gradient of the input', { m: 20, n: 1000, k: 128, transposeB: true }, { bias: false, relu: false }],
    ['gradient of the kernel', { m: 1000, n: 128, k: 20, transposeA: true }, { bias: false, relu: false }],
  ])('%s', { timeout: 120_000 }, async (_name, shape, epilogue) => {
    const plan = planMatmul(shape, epilogue, gpu().target);
    expect(plan.variant).not.toBe('naive');
    expect(plan.dispatches.length).toBeGreaterThan(4);
    await check(gpu(), undefined, shape, epilogue);
  });

  it("plans VGG16's fc1 in subproblems of no more than 128 MiB", () => {
    const target = { ...gpu().target, maxBindingBytes: 128 * 1024 ** 2 };
    const forward = planMatmul({ m: 1, n: 4096, k: 25088 }, { bias: true, relu: true }, target);
    const toKernel = planMatmul(
      { m: 25088, n: 4096, k: 20, transposeA: true },
      { bias: false, relu: false },
      target,
    );
    for (const { dispatches } of [forward, toKernel]) {
      expect(dispatches.length).toBeLessThanOrEqual(8);
      for (const binding of dispatches.flatMap((dispatch) => Object.values(dispatch.bindings))) {
        if (typeof binding === 'string') continue;
        expect(binding.offset % target.offsetAlignment).toBe(0);
        expect(binding.size).toBeLessThanOrEqual(target.maxBindingBytes);
      }
    }
  });
});

describe('chooseMatmul', () => {
  const head = { m: 20, n: 256, k: 51_200 };

  it('takes the kernel for the adapter', () => {
    expect(chooseMatmul(head, gpu).variant).toBe('tiled');
    expect(chooseMatmul(head, software).variant).toBe('outer-product');
    expect(chooseMatmul({ ...head, n: 255 }, software).variant).toBe('subgroup');
    // The gradient of a dense layer's input would pack all of its kernel for 20 rows.
    expect(chooseMatmul({ m: 20, n: 8192, k: 256, transposeB: true }, software).variant).toBe('subgroup');
    expect(chooseMatmul({ m: 200, n: 8192, k: 256, transposeB: true }, software).variant).toBe(
      'outer-product',
    );
    expect(chooseMatmul(head, { ...software, subgroupSize: 0 }).variant).toBe('register');
    expect(chooseMatmul({ m: 20, n: 1, k: 256 }, gpu).variant).toBe('naive');
  });

  it('gives GPUs tiles as large as there are enough of', () => {
    const tile = (m: number, n: number, batch = 1) => {
      const { tileM, tileN } = chooseMatmul({ m, n, k: 512, batch }, gpu);
      return [tileM, tileN];
    };
    expect(tile(4096, 4096)).toEqual([128, 128]);
    expect(tile(8192, 64, 36)).toEqual([128, 64]);
    expect(tile(256, 512)).toEqual([64, 64]);
    expect(tile(20, 8192)).toEqual([32, 64]);
  });

  it('splits long sums that few workgroups would share, and only those', () => {
    expect(chooseMatmul(head, gpu).splits).toBeGreaterThan(32);
    expect(chooseMatmul(head, software).splits).toBeGreaterThan(1);
    expect(chooseMatmul({ m: 4096, n: 4096, k: 4096 }, gpu).splits).toBe(1);
    expect(chooseMatmul({ m: 20, n: 256, k: 100 }, gpu).splits).toBe(1);
  });

  it('keeps partial products small', () => {
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.nat(5000),
        fc.nat(1_000_000),
        fc.constantFrom(gpu, software),
        (m, n, k, target) => {
          const { splits } = chooseMatmul({ m: m + 1, n: n + 1, k: k + 1 }, target);
          expect(splits).toBeGreaterThanOrEqual(1);
          if (splits > 1) expect(splits * (m + 1) * (n + 1) * 4).toBeLessThanOrEqual(64 * 1024 ** 2);
        },
      ),
    );
  });

  it('folds grids that are too wide', () => {
    const plan = planMatmul({ m: 4_000_000, n: 3, k: 2, batch: 1 }, { bias: false, relu: false }, gpu);
    for (const { grid } of plan.dispatches) expect(Math.max(...grid)).toBeLessThanOrEqual(65_535);
  });
});

describe.skipIf(!hasGolden('dense_losses'))('dense layers of the golden file', () => {
  const gpu = withGpu();
  const golden = hasGolden('dense_losses') ? readGolden('dense_losses') : undefined;

  it.each(['dense_0', 'dense_1', 'dense_2', 'dense_3'])('%s: forward and gradients', async (name) => {
    if (!golden) throw new Error('no golden file');
    const { data: x, shape } = golden.tensor(`${name}.x`);
    const { data: kernel } = golden.tensor(`${name}.kernel`);
    const { data: bias } = golden.tensor(`${name}.bias`);
    const { data: dy } = golden.tensor(`${name}.dy`);
    const [rows = 0, inputs = 0] = shape;
    const units = bias.length;
    const none = { bias: false, relu: false };
    const { target } = gpu();

    const forward = planMatmul({ m: rows, n: units, k: inputs }, { bias: true, relu: false }, target);
    const { c: y } = await runPlan(gpu(), forward, { a: x, b: kernel, bias }, { c: rows * units });
    expect(relativeError(y, golden.tensor(`${name}.y`).data)).toBeLessThan(1e-6);

    const toInput = planMatmul({ m: rows, n: inputs, k: units, transposeB: true }, none, target);
    const { c: dx } = await runPlan(gpu(), toInput, { a: dy, b: kernel, bias: null }, { c: x.length });
    expect(relativeError(dx, golden.tensor(`${name}.dx`).data)).toBeLessThan(1e-6);

    const toKernel = planMatmul({ m: inputs, n: units, k: rows, transposeA: true }, none, target);
    const { c: dkernel } = await runPlan(gpu(), toKernel, { a: x, b: dy, bias: null }, { c: kernel.length });
    expect(relativeError(dkernel, golden.tensor(`${name}.dkernel`).data)).toBeLessThan(1e-6);
  });
});
