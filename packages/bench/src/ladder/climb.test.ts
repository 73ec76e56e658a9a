import { ladders, openGpu, planAdd, planMultiply, type Gpu, type Ladder } from '@convbase/core-gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { climbAll } from './climb-all.ts';
import { climb } from './climb.ts';
import { table, WRONG_FROM } from './table.ts';

describe('ladders', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => {
    gpu.destroy();
  });

  it.each(Object.keys(ladders))('every rung of %s computes what the first one does', async (name) => {
    const ladder = ladders[name];
    if (!ladder) throw new Error(name);
    expect(ladder.rungs.length).toBeGreaterThanOrEqual(2);
    const before = gpu.memory().liveBuffers;
    const results = await climb(gpu, ladder, 1);
    expect(gpu.memory().liveBuffers).toBe(before);
    for (const { rung, difference, milliseconds } of results) {
      expect(difference, rung).toBeLessThan(WRONG_FROM);
      expect(milliseconds).toBeGreaterThan(0);
    }
  });

  it('shows a rung that computes something else, or nothing', async () => {
    const ladder: Ladder = {
      kernel: 'broken',
      problem: 'a sum that is a product',
      inputs: { a: 100, b: 100 },
      output: { name: 'y', length: 100 },
      rungs: [
        { name: 'sum', plan: (target) => planAdd({ count: 100 }, target) },
        { name: 'product', plan: (target) => planMultiply({ count: 100 }, target) },
        { name: 'half', plan: (target) => planAdd({ count: 50 }, target) },
      ],
    };
    const results = await climb(gpu, ladder, 1);
    expect(results.map(({ difference }) => difference < WRONG_FROM)).toEqual([true, false, false]);
    const lines = table(results);
    expect(lines[0]).toMatch(/^rung +ms +GFLOP\/s +speed +difference$/);
    expect(lines[1]).toMatch(/^sum .* 1\.00x +0e\+0$/);
    expect(lines[2]).toMatch(/WRONG/);
    expect(lines[3]).toMatch(/WRONG \(NaN\)/);

    const [kept] = await climbAll(gpu, { ladders: { broken: ladder }, rounds: 1 });
    expect(kept?.rungs[0]?.milliseconds).toBeGreaterThan(0);
    expect(kept?.rungs.slice(1)).toMatchObject([
      { rung: 'product', milliseconds: null, speedup: null },
      { rung: 'half', milliseconds: null, speedup: null, difference: null },
    ]);
  });
});
