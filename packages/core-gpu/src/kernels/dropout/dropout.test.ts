import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectRelative, randomFloats, runPlan, withGpu } from '../testing.ts';
import { planDropout, type DropoutOptions } from './dropout.ts';
import { dropout, philox } from './reference.ts';

describe('the reference of Philox4x32-10', () => {
  // Known answers published with the Random123 library (kat_vectors).
  it.each([
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])('gives the published words for counter $counter', ({ counter, key, words }) => {
    expect(philox(counter, key)).toEqual(words);
  });
});

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('dropout %s', (_, options) => {
  const gpu = withGpu(options);

  async function run(problem: DropoutOptions, x: Float32Array): Promise<Float32Array> {
    const { y } = await runPlan(gpu(), planDropout(problem, gpu().target), { x }, { y: problem.count });
    return y;
  }

  it('keeps exactly the elements that the reference keeps', async () => {
    const problems = fc.record({
      count: fc.integer({ min: 1, max: 3000 }),
      rate: fc.double({ min: 0, max: 0.95, noNaN: true }),
      seed: fc.maxSafeNat(),
      offset: fc.oneof(
        fc.nat(100),
        // Where the low half of the counter overflows, and at the far end.
        fc.integer({ min: 4 * 2 ** 32 - 3000, max: 4 * 2 ** 32 }),
        fc.integer({ min: 2 ** 52, max: 2 ** 53 - 4000 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const x = randomFloats(problem.count, 3);
        expectRelative(await run(problem, x), dropout(problem, x), 3e-7);
      }),
      { numRuns: 12, seed: 3 },
    );
  });

  it('is a pure function of seed and place in the stream', async () => {
    const whole = { count: 2500, rate: 0.5, seed: 11, offset: 5 };
    const x = new Float32Array(whole.count).fill(1);
    const y = await run(whole, x);
    expect([...(await run(whole, x))]).toEqual([...y]);
    const tail = await run({ ...whole, count: 1500, offset: 1005 }, x.subarray(1000));
    expect([...tail]).toEqual([...y.subarray(1000)]);
    expect([...(await run({ ...whole, seed: 12 }, x))]).not.toEqual([...y]);
  });

  it('keeps everything at rate 0 and nothing at rate 1', async () => {
    const x = randomFloats(100, 2);
    expect([...(await run({ count: 100, rate: 0, seed: 1, offset: 0 }, x))]).toEqual([...x]);
    const dropped = await run({ count: 100, rate: 1, seed: 1, offset: 0 }, x);
    expect(dropped.every((v) => v === 0)).toBe(true);
  });
});

describe('the masks of dropout', () => {
  const gpu = withGpu();

  it.each([0.1, 0.5, 0.8])('drop a share of %f, without favourite places or neighbours', async (rate) => {
    const count = 200_000;
    const plan = planDropout({ count, rate, seed: 2024, offset: 3 }, gpu().target);
    const x = new Float32Array(count).fill(1);
    const { y } = await runPlan(gpu(), plan, { x }, { y: count });
    const dropped = Array.from(y, (v) => (v === 0 ? 1 : 0));
    // The number of zeros among N is binomial: five standard deviations are five in two million.
    const bound = (n: number) => 5 * Math.sqrt((rate * (1 - rate)) / n);
    const share = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(Math.abs(share(dropped) - rate)).toBeLessThan(bound(count));
    for (let lane = 0; lane < 4; lane++) {
      const own = dropped.filter((_, i) => i % 4 === lane);
      expect(Math.abs(share(own) - rate)).toBeLessThan(bound(own.length));
    }
    // Correlation of an element with those 1, 2, 4 and 256 further on: standard deviation 1 / sqrt(N).
    for (const lag of [1, 2, 4, 256]) {
      let product = 0;
      for (let i = lag; i < count; i++) {
        product += ((dropped[i] ?? NaN) - rate) * ((dropped[i - lag] ?? NaN) - rate);
      }
      const correlation = product / (count - lag) / (rate * (1 - rate));
      expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(count));
    }
    // What is kept is scaled up, so that the mean stays.
    expect(y.find((v) => v !== 0)).toBeCloseTo(1 / (1 - rate), 5);
  });
});

describe('planDropout', () => {
  const gpu = withGpu({ backend: 'null' });

  it.each([
    { rate: -0.1, seed: 1, offset: 0 },
    { rate: 1.5, seed: 1, offset: 0 },
    { rate: NaN, seed: 1, offset: 0 },
    { rate: 0.5, seed: 0.5, offset: 0 },
    { rate: 0.5, seed: 1, offset: -1 },
  ])('refuses %o', (bad) => {
    expect(() => planDropout({ count: 4, ...bad }, gpu().target)).toThrow(
      /must be from 0 to 1|no whole number/,
    );
  });
});
