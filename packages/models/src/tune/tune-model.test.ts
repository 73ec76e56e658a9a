import { openGpu } from '@convbase/core-gpu';
import { Conv2D, input, Model } from '@convbase/layers';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../profile/random-batch.ts';
import { describeProblem, problemsOf } from './problems-of.ts';
import { tuneText } from './tables.ts';
import type { TunedModelProblem } from './tune-model.ts';

function twins(): Model {
  const image = input({ shape: [8, 8, 4] });
  let x = image;
  for (const name of ['one', 'two']) {
    x = new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', name }).apply(x);
  }
  const output = new Conv2D({ filters: 8, kernelSize: 1, name: 'three', trainable: true }).apply(x);
  return new Model({ inputs: [image], outputs: [output] });
}

describe('problemsOf', () => {
  it('finds each once, with the layers that have it, the most work first', async () => {
    const gpu = await openGpu({ backend: 'null' });
    try {
      const model = twins();
      const problems = await problemsOf(gpu, model, randomBatch(model, 2), false);
      expect(problems.map(({ layers }) => layers)).toEqual([['one', 'two'], ['three']]);
      expect(problems.map(({ problem }) => describeProblem(problem))).toEqual([
        'conv2d frozen 3x3 4>4 8x8, batch 2',
        'conv2d frozen 1x1 4>8 8x8, batch 2',
      ]);
      expect(problems[0]?.flops).toBe(2 * 2 * 2 * 64 * 4 * 4 * 9);
    } finally {
      gpu.destroy();
    }
  });
});

describe('what tuning prints', () => {
  const base: TunedModelProblem = {
    problem: { kernel: 'matmul', shape: { m: 20, n: 256, k: 8192, transposeB: true } },
    key: 'matmul k=8192,m=20,n=256',
    flops: 1,
    rule: { variant: 'tiled', rows: 4 },
    ruleMilliseconds: 3,
    best: { variant: 'tiled', rows: 8 },
    bestMilliseconds: 2,
    candidates: [],
    layers: ['dense', 'dense_1'],
  };

  it('fits a terminal, and counts a problem as often as it runs', () => {
    const same = { ...base, best: base.rule, bestMilliseconds: 3, layers: ['x'] };
    const text = tuneText([base, same]);
    expect(text).toMatch(/^matmul 20x8192 times 8192x256T +3\.000 +2\.000 +1\.50x$/m);
    expect(text).toMatch(/tiled rows=8\n +instead of tiled rows=4/);
    expect(text).toMatch(/^matmul 20x8192 times 8192x256T +3\.000 +3\.000 +-$/m);
    expect(text).toMatch(/1 of 2 problems[^]*7\.0 ms instead of 9\.0 ms/);
    const kept = tuneText([same]);
    expect(kept).toMatch(/nothing is faster/);
    for (const line of `${text}\n${kept}`.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});
