import { describe, expect, it } from 'vitest';
import type { KernelTarget, Plan } from '../commands/plan.ts';
import { withGpu } from '../kernels/testing.ts';
import { matmulTunable } from '../kernels/matmul/tunable.ts';
import { tunables } from '../kernels/tunables.ts';
import { median } from './median.ts';
import { anyTunable, type Tunable } from './tunable.ts';
import { describeChoice, tuneProblem } from './tune.ts';
import { gpuTarget as target } from '../kernels/testing-targets.ts';

interface Sum {
  readonly count: number;
}
interface Way {
  readonly variant: 'rules' | 'fast' | 'wrong' | 'silent' | 'slow';
}

/** Fills y with 1; does it again and again to be slow. */
function planFill(count: number, value: number, times: number, target: KernelTarget): Plan {
  const groups = Math.ceil(count / 64);
  const dispatch = {
    shader: 'elementwise/fill',
    constants: { WORKGROUP: 64 },
    uniforms: { count, value },
    bindings: { y: 'y' },
    grid: [Math.min(groups, target.maxGrid), 1, 1],
  } as const;
  const dispatches = Array.from({ length: times }, () => dispatch);
  return { kernel: 'ones', variant: '', dispatches, temporaries: {}, flops: count, bytes: 4 * count };
}

/** A problem with one way faster than the rules', one slower, and two that are faster and wrong. */
const ones: Tunable<Sum, Way> = {
  kernel: 'ones',
  candidates: () => (['rules', 'wrong', 'fast', 'silent', 'slow'] as const).map((variant) => ({ variant })),
  choose: () => ({ variant: 'rules' }),
  plans: ({ count }, { variant }, target) => {
    const value = variant === 'wrong' ? 1.001 : 1;
    const times = { rules: 40, fast: 4, wrong: 1, silent: 1, slow: 400 }[variant];
    // The last element is never written.
    return { each: planFill(variant === 'silent' ? count - 1 : count, value, times, target) };
  },
  inputs: () => [],
  output: ({ count }) => ({ name: 'y', length: count }),
  at: () => 1,
  tolerance: () => 1e-6,
};

describe('tuneProblem', { timeout: 120_000 }, () => {
  const gpu = withGpu({ profile: 'events', tuned: false });

  it('takes the fastest that is right', async () => {
    (tunables as Record<string, Tunable>)['ones'] = anyTunable(ones);
    try {
      const tuned = await tuneProblem(gpu(), { kernel: 'ones', shape: { count: 100_000 } }, { rounds: 5 });
      expect(tuned.rule).toEqual({ variant: 'rules' });
      expect(tuned.best).toEqual({ variant: 'fast' });
      expect(tuned.bestMilliseconds).toBeLessThan(tuned.ruleMilliseconds);
      const refused = new Map(tuned.candidates.map(({ choice, refused }) => [choice['variant'], refused]));
      expect(refused.get('wrong')).toMatch(/wrong by 1\.0e-3/);
      expect(refused.get('silent')).toMatch(/wrong by NaN/);
      expect(refused.get('slow')).toMatch(/times slower/);
      expect(refused.get('fast')).toBeUndefined();
    } finally {
      delete (tunables as Record<string, Tunable>)['ones'];
    }
  });

  it('refuses to tune what the rules get wrong, and what nobody knows', async () => {
    (tunables as Record<string, Tunable>)['ones'] = anyTunable({ ...ones, at: () => 2 });
    try {
      await expect(tuneProblem(gpu(), { kernel: 'ones', shape: { count: 64 } })).rejects.toMatchObject({
        code: 'tune/wrong',
      });
    } finally {
      delete (tunables as Record<string, Tunable>)['ones'];
    }
    await expect(tuneProblem(gpu(), { kernel: 'toString', shape: {} })).rejects.toMatchObject({
      code: 'tune/unknown',
    });
  });

  it('stops when it is told to, and leaves no memory behind', async () => {
    const signal = AbortSignal.abort();
    const problem = { kernel: 'matmul', shape: { m: 8, n: 8, k: 8 } };
    await expect(tuneProblem(gpu(), problem, { signal })).rejects.toThrow(/abort/);
    expect(gpu().memory().liveBuffers).toBe(0);
  });
});

describe('the candidates of a product', () => {
  it('hold what the rules choose, once', () => {
    for (const shape of [
      { m: 20, n: 256, k: 8192 },
      { m: 4, n: 1, k: 256 },
    ]) {
      const choices = matmulTunable.candidates(shape, target).map(describeChoice);
      expect(new Set(choices).size).toBe(choices.length);
      expect(choices).toContain(describeChoice(matmulTunable.choose(shape, target)));
    }
  });
});

describe('median', () => {
  it('is the middle one, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBe(Infinity);
  });
});
