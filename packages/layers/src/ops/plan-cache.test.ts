import type { KernelTarget } from '@convbase/core-gpu';
import { describe, expect, it } from 'vitest';
import { PlanCache } from './plan-cache.ts';

const target = { kind: 'gpu' } as KernelTarget;

interface Call {
  readonly input: readonly number[];
  readonly relu: boolean;
  readonly slice: readonly number[] | undefined;
}

function counting(): { cache: PlanCache<Call, Call>; made: () => number } {
  let made = 0;
  const cache = new PlanCache<Call, Call>((call) => {
    made += 1;
    return { ...call };
  });
  return { cache, made: () => made };
}

describe('a plan cache', () => {
  it('makes plans once for each call and target', () => {
    const { cache, made } = counting();
    const first = cache.get({ input: [1, 2], relu: true, slice: undefined }, target);
    expect(cache.get({ input: [1, 2], relu: true, slice: undefined }, target)).toBe(first);
    expect(made()).toBe(1);
    expect(cache.get({ input: [1, 2], relu: true, slice: undefined }, { ...target })).not.toBe(first);
  });

  it('tells calls apart that differ in any one field', () => {
    const { cache, made } = counting();
    const calls: Call[] = [
      { input: [1, 2], relu: true, slice: undefined },
      { input: [1, 2], relu: false, slice: undefined },
      { input: [12], relu: true, slice: undefined },
      { input: [1, 2], relu: true, slice: [3, 0] },
      { input: [1, 2], relu: true, slice: [3, 1] },
      { input: [1, 2], relu: true, slice: [] },
    ];
    expect(calls.map((call) => cache.get(call, target))).toEqual(calls);
    expect(made()).toBe(calls.length);
  });
});
