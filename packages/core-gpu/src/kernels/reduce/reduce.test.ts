import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelTarget } from '../../commands/plan.ts';
import { expectClose, randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import { planColumnSum, planSum, planSumOfSquares } from './reduce.ts';
import { columnSumReference, sumOfSquaresReference } from './reference.ts';
import { rowSlices } from './row-slices.ts';
import { gpuTarget } from '../testing-targets.ts';

describe.each([
  ['bindings as large as the adapter allows', {}],
  ['bindings of 2 KiB', { bindingLimit: 2048 }],
])('reductions with %s', (_name, options) => {
  const gpu = withGpu(options);

  it('sum columns of random shapes', { timeout: 120_000 }, async () => {
    const shape = fc.record({
      rows: fc.integer({ min: 1, max: 3000 }),
      columns: fc.integer({ min: 1, max: 48 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ rows, columns }) => {
        const x = randomFloats(rows * columns);
        const { y } = await runPlan(
          gpu(),
          planColumnSum({ rows, columns }, gpu().target),
          { x },
          { y: columns },
        );
        expectClose(y, columnSumReference(x, rows, columns), { terms: rows });
      }),
      { numRuns: 25 },
    );
  });

  it('sum everything, and its squares', async () => {
    for (const count of [1, 2, 255, 20_001]) {
      const x = randomFloats(count);
      const sum = await runPlan(gpu(), planSum({ count }, gpu().target), { x }, { y: 1 });
      expectClose(sum.y, columnSumReference(x, count, 1), { terms: count });
      const squares = await runPlan(gpu(), planSumOfSquares({ count }, gpu().target), { x }, { y: 1 });
      expectClose(squares.y, [sumOfSquaresReference(x)], { terms: count });
    }
  });
});

describe('large reductions', () => {
  const gpu = withGpu();

  it('keep the digits that one running sum in float32 would lose', async () => {
    const count = 4_000_000;
    const x = randomFloats(count).map((value) => value + 1);
    const exact = columnSumReference(x, count, 1);
    const { y } = await runPlan(gpu(), planSum({ count }, gpu().target), { x }, { y: 1 });
    // A few hundred terms at each of three levels: far below sqrt(count) * 2^-24 = 1e-4.
    expect(relativeError(y, exact)).toBeLessThan(3e-7);
    let running = 0;
    for (const value of x) running = Math.fround(running + value);
    expect(relativeError([running], exact)).toBeGreaterThan(1e-6);
  });

  it('give the same bits every time', async () => {
    const x = randomFloats(100_000 * 3);
    const plan = planColumnSum({ rows: 100_000, columns: 3 }, gpu().target);
    const first = await runPlan(gpu(), plan, { x }, { y: 3 });
    const second = await runPlan(gpu(), plan, { x }, { y: 3 });
    expect([...second.y]).toEqual([...first.y]);
  });
});

describe('row slices', () => {
  const step = gpuTarget.offsetAlignment;
  const limit = 4 * step;
  const target: KernelTarget = { ...gpuTarget, subgroupSize: 0, maxBindingBytes: limit };
  // Four rows of so many floats fit wherever they start.
  const widest = (limit - step) / 16;

  it('cover all rows, start at aligned offsets and stay below the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: widest }), (rows, columns) => {
        let next = 0;
        for (const slice of rowSlices(rows, columns, target)) {
          expect(slice.first).toBe(next);
          next += slice.rows;
          const binding = slice.of('x');
          if (typeof binding === 'string') throw new Error('slices name their slice');
          {
            expect(binding.offset % step).toBe(0);
            expect(binding.offset + 4 * slice.offset).toBe(4 * slice.first * columns);
            expect(binding.size).toBe(16 * Math.ceil((slice.offset + slice.rows * columns) / 4));
            expect(binding.size).toBeLessThanOrEqual(limit);
          }
        }
        expect(next).toBe(rows);
      }),
    );
  });

  it('refuse rows too wide to be shortened', () => {
    const columns = limit / 16 + 1;
    expect(() => rowSlices(10, columns, target)).toThrow(`four rows of ${String(columns)} floats`);
  });
});
