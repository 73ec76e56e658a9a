import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emulatedTarget, withEmulatedSubgroupMatrices } from '../../testing/emulated-subgroup-matrix.ts';
import { expectClose, randomFloats, randomHalves, runFloat16, runPlan, withGpu } from '../testing.ts';
import { fittingTiles, knownFragments, type FragmentShape } from '../fragments.ts';
import { matmulReference } from './reference.ts';
import { planMatmul, planMatmulAs } from './matmul.ts';

// Everything but the instructions themselves, which no software adapter has: these are emulated.
describe('matmul on emulated subgroup matrices', () => {
  withEmulatedSubgroupMatrices('matmul/subgroup-matrix');
  const gpu = withGpu();
  const size = fc.integer({ min: 1, max: 140 });
  // Between them every line and every tile; each takes a software adapter seconds to compile.
  const even = { transposes: {}, unit: 32, splits: 1, epilogue: { bias: false, relu: false } };
  const transposedA = {
    transposes: { transposeA: true },
    unit: 1,
    splits: 1,
    epilogue: { bias: true, relu: true },
  };
  const split = {
    transposes: { transposeB: true },
    unit: 1,
    splits: 3,
    epilogue: { bias: true, relu: false },
  };
  const [square, wide, single] = knownFragments as readonly [FragmentShape, FragmentShape, FragmentShape];
  const cases = [
    { name: 'tile 128 x 64 of 16 x 16 x 16, even sizes', fragment: square, tile: 0, ...even },
    {
      name: 'tile 64 x 64 of 16 x 16 x 16, a transposed, bias and relu',
      fragment: square,
      tile: 1,
      ...transposedA,
    },
    { name: 'tile 32 x 64 of 16 x 16 x 16, b transposed, split', fragment: square, tile: 2, ...split },
    { name: 'tile 64 x 64 of 8 x 16 x 16, b transposed, split', fragment: wide, tile: 1, ...split },
    { name: 'tile 32 x 64 of 8 x 8 x 8, even sizes', fragment: single, tile: 2, ...even },
    {
      name: 'tile 128 x 64 of 8 x 8 x 8, a transposed, bias and relu',
      fragment: single,
      tile: 0,
      ...transposedA,
    },
  ];

  it.each(cases)('$name', { timeout: 120_000 }, async (one) => {
    const { fragment, unit, splits, epilogue, transposes } = one;
    const target = { ...emulatedTarget(gpu().target), subgroupMatrices: [fragment] };
    const tile = fittingTiles(fragment, target)[one.tile];
    if (!tile) throw new Error('no such tile');
    const { tileM, tileN, rows } = tile;
    const choice = {
      variant: 'subgroup-matrix',
      tileM,
      tileN,
      rows,
      element: fragment.element,
      splits,
    } as const;
    await fc.assert(
      fc.asyncProperty(size, size, size, async (m, columns, steps) => {
        const n = unit === 1 ? columns : 4 * Math.ceil(columns / 4);
        const k = Math.ceil(steps / unit) * unit;
        const shape = { m, n, k, batch: 2, ...transposes };
        const [a, b, bias] = [randomHalves(2 * m * k, 1), randomHalves(2 * k * n, 2), randomFloats(n, 3)];
        const plan = planMatmulAs(shape, epilogue, target, choice);
        expect(plan.dispatches[0]?.shader).toBe('matmul/subgroup-matrix');
        const { c } = await runPlan(gpu(), plan, { a, b, bias }, { c: 2 * m * n });
        const wanted = matmulReference(shape, a, b, { ...(epilogue.bias && { bias }), relu: epilogue.relu });
        expectClose(c, wanted, { terms: k + 1 });
      }),
      { numRuns: 2, examples: [[129, 69, 97]] },
    );
  });

  it('is what multiplies float16 operands, and float32 ones only where nothing is rounded', async () => {
    const target = { ...emulatedTarget(gpu().target), kind: 'gpu' as const };
    const shape = { m: 70, n: 64, k: 128 };
    const nothing = { bias: false, relu: false };
    expect(planMatmul(shape, nothing, target).variant).toBe('subgroup-matrix');
    const plan = planMatmul(shape, nothing, { ...target, subgroupMatrices: [square] });
    expect(plan.variant).toBe('tiled');
    expect(plan.float16?.plan.variant).toBe('subgroup-matrix');
    expect(planMatmul(shape, nothing, gpu().target).float16).toBeUndefined();

    const [a, b] = [randomHalves(70 * 128, 1), randomHalves(128 * 64, 2)];
    const watched: string[] = [];
    const stop = gpu().watchPlans(({ variant }) => watched.push(variant));
    const { c } = await runFloat16(gpu(), plan, { a, b, bias: null }, { c: 70 * 64 }, ['a', 'b']);
    stop();
    expect(watched).toContain('subgroup-matrix');
    expectClose(c, matmulReference(shape, a, b), { terms: 128 });
  });
});
