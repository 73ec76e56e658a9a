import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelTarget } from '../../commands/plan.ts';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { expectClose, randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import { planGlobalAveragePoolForward, planGlobalAveragePoolInputGradient } from './global.ts';
import {
  planAveragePoolForward,
  planAveragePoolInputGradient,
  planMaxPoolForward,
  planMaxPoolInputGradient,
} from './pooling.ts';
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './reference.ts';
import { poolShape, type PoolOptions, type PoolShape } from './shape.ts';
import { gpuTarget } from '../testing-targets.ts';

/** Small whole numbers: windows then have several equal maxima. Adding 0 turns -0 into 0. */
function withTies(length: number, seed: number): Float32Array {
  return randomFloats(length, seed).map((v) => Math.round(2 * v) + 0);
}

function sizes(shape: PoolShape): { inputs: number; outputs: number } {
  const { n, h, w, c, oh, ow } = shape;
  return { inputs: n * h * w * c, outputs: n * oh * ow * c };
}

const shapes: fc.Arbitrary<PoolOptions> = fc
  .record({
    input: fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 9 }),
    ),
    pool: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    padding: fc.constantFrom('same' as const, 'valid' as const),
  })
  .filter(({ input, pool, padding }) => padding === 'same' || (pool[0] <= input[1] && pool[1] <= input[2]));

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('pooling %s', (_, options) => {
  const gpu = withGpu(options);

  async function check(problem: PoolOptions): Promise<void> {
    const shape = poolShape(problem);
    const { inputs, outputs } = sizes(shape);
    const x = withTies(inputs, 3);
    const dy = randomFloats(outputs, 5);
    const { target } = gpu();

    const max = await runPlan(gpu(), planMaxPoolForward(shape, target), { x }, { y: outputs });
    expect([...max.y]).toEqual([...maxPool(shape, x)]);
    const windows = Math.ceil(shape.poolH / shape.strideH) * Math.ceil(shape.poolW / shape.strideW);
    const maxGradient = await runPlan(
      gpu(),
      planMaxPoolInputGradient(shape, target),
      { x, dy },
      { dx: inputs },
    );
    expectClose(maxGradient.dx, maxPoolGradient(shape, x, dy), { terms: windows });

    const average = await runPlan(gpu(), planAveragePoolForward(shape, target), { x }, { y: outputs });
    expectClose(average.y, averagePool(shape, x), { terms: shape.poolH * shape.poolW, magnitude: 2 });
    const averageGradient = await runPlan(
      gpu(),
      planAveragePoolInputGradient(shape, target),
      { dy },
      { dx: inputs },
    );
    expectClose(averageGradient.dx, averagePoolGradient(shape, dy), { terms: windows });
  }

  it('agrees with the reference for random shapes', async () => {
    await fc.assert(fc.asyncProperty(shapes, check), { numRuns: 25, seed: 7 });
  });

  it.each<PoolOptions>([
    { input: [3, 17, 13, 7], pool: [3, 3], strides: [2, 2], padding: 'same' },
    { input: [2, 9, 40, 16], pool: [2, 2], strides: [2, 2], padding: 'valid' },
    // One row is larger than 4096 bytes.
    { input: [1, 4, 20, 65], pool: [3, 3], strides: [1, 1], padding: 'same' },
    // Strides larger than the window: rows and columns that no window contains.
    { input: [2, 19, 21, 5], pool: [2, 2], strides: [5, 3], padding: 'valid' },
    // Global: one window over several bindings.
    { input: [2, 30, 20, 4], pool: [30, 20], strides: [30, 20], padding: 'valid' },
  ])('agrees with the reference for $input, pool $pool', check);

  it.each([
    { n: 2, h: 5, w: 3, c: 7 },
    { n: 1, h: 1, w: 1, c: 1 },
    { n: 3, h: 20, w: 21, c: 5 },
    { n: 5, h: 2, w: 2, c: 300 },
  ])('averages whole images %o', async (image) => {
    const { n, h, w, c } = image;
    const shape = poolShape({ input: [n, h, w, c], pool: [h, w], strides: [h, w], padding: 'valid' });
    const x = randomFloats(n * h * w * c);
    const dy = randomFloats(n * c, 2);
    const { target } = gpu();
    const forward = await runPlan(gpu(), planGlobalAveragePoolForward(image, target), { x }, { y: n * c });
    expectClose(forward.y, averagePool(shape, x), { terms: h * w, magnitude: 1 / (h * w) });
    const gradient = planGlobalAveragePoolInputGradient(image, target);
    const { dx } = await runPlan(gpu(), gradient, { dy }, { dx: x.length });
    expectClose(dx, averagePoolGradient(shape, dy), { magnitude: 1 / (h * w) });
  });

  it('gives the gradient to the first of several maxima', async () => {
    const shape = poolShape({ input: [1, 2, 4, 1], pool: [2, 2], strides: [2, 2], padding: 'valid' });
    const x = new Float32Array([1, 3, -Infinity, -Infinity, 3, 3, -Infinity, -Infinity]);
    const dy = new Float32Array([5, 7]);
    const plan = planMaxPoolInputGradient(shape, gpu().target);
    const { dx } = await runPlan(gpu(), plan, { x, dy }, { dx: 8 });
    expect([...dx]).toEqual([0, 5, 7, 0, 0, 0, 0, 0]);
  });
});

interface PoolCase {
  readonly name: string;
  readonly op: 'max_pool' | 'avg_pool' | 'global_avg_pool';
  readonly pool: [number, number];
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
}

describe.skipIf(!hasGolden('pooling'))('pooling against Keras', () => {
  const gpu = withGpu();
  const golden = hasGolden('pooling') ? readGolden<PoolCase>('pooling') : undefined;

  it.each(golden?.cases ?? [])('$name', async ({ name, op, pool, strides, padding }) => {
    if (!golden) throw new Error('the test runs only with the golden file');
    const { data: x, shape: input } = golden.tensor(`${name}.x`);
    const dy = golden.tensor(`${name}.dy`).data;
    const expected = { y: golden.tensor(`${name}.y`).data, dx: golden.tensor(`${name}.dx`).data };
    const [n = 0, h = 0, w = 0, c = 0] = input;
    const { target } = gpu();
    const plans = () => {
      if (op === 'global_avg_pool') {
        const image = { n, h, w, c };
        return [
          planGlobalAveragePoolForward(image, target),
          planGlobalAveragePoolInputGradient(image, target),
        ] as const;
      }
      const shape = poolShape({ input: [n, h, w, c], pool, strides, padding });
      return op === 'max_pool'
        ? ([planMaxPoolForward(shape, target), planMaxPoolInputGradient(shape, target)] as const)
        : ([planAveragePoolForward(shape, target), planAveragePoolInputGradient(shape, target)] as const);
    };
    const [forward, gradient] = plans();
    const { y } = await runPlan(gpu(), forward, { x }, { y: expected.y.length });
    const { dx } = await runPlan(gpu(), gradient, { x, dy }, { dx: x.length });
    expect(relativeError(y, expected.y)).toBeLessThan(1e-5);
    expect(relativeError(dx, expected.dx)).toBeLessThan(1e-5);
  });
});

describe('poolShape', () => {
  it('refuses windows that do not fit and sizes that are none', () => {
    const input = [1, 2, 5, 3] as const;
    const base = { input, strides: [1, 1], padding: 'valid' } as const;
    expect(() => poolShape({ ...base, pool: [3, 3] })).toThrow(/3x3 window does not fit into 2x5/);
    expect(() => poolShape({ ...base, pool: [0, 1] })).toThrow(/poolH is 0/);
    expect(() => poolShape({ ...base, pool: [1, 1], strides: [1, 1.5] })).toThrow(/strideW is 1.5/);
  });

  it('puts the smaller half of SAME padding in front', () => {
    const shape = poolShape({ input: [1, 5, 6, 1], pool: [4, 2], strides: [2, 2], padding: 'same' });
    expect(shape).toMatchObject({ oh: 3, ow: 3, padTop: 1, padLeft: 0 });
  });
});

describe('pooling plans', () => {
  it('fold grids that are too long for one dimension and stay within bindings', () => {
    const target: KernelTarget = { ...gpuTarget, maxGrid: 1000 };
    const shape = poolShape({ input: [8, 500, 500, 64], pool: [2, 2], strides: [2, 2], padding: 'valid' });
    for (const plan of [
      planMaxPoolForward(shape, target),
      planMaxPoolInputGradient(shape, target),
      planAveragePoolForward(shape, target),
    ]) {
      expect(plan.dispatches.length).toBeGreaterThan(1);
      for (const { grid, bindings } of plan.dispatches) {
        expect(Math.max(...grid)).toBeLessThanOrEqual(1000);
        for (const binding of Object.values(bindings)) {
          if (typeof binding === 'string') continue;
          expect(binding.offset % target.offsetAlignment).toBe(0);
          expect(binding.size).toBeLessThanOrEqual(2 ** 27);
        }
      }
    }
  });
});
