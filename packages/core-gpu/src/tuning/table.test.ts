import { describe, expect, it } from 'vitest';
import { problemKey, sameChoice, tunedChoice, untuned } from './table.ts';

describe('problemKey', () => {
  it('does not depend on the order of fields, nor on what is not there', () => {
    const key = problemKey('matmul', { m: 20, n: 256, k: 8192, transposeA: true });
    expect(key).toBe('matmul k=8192,m=20,n=256,transposeA=true');
    expect(problemKey('matmul', { transposeB: false, k: 8192, transposeA: true, n: 256, m: 20 })).toBe(key);
    expect(problemKey('matmul', { m: 20, n: 256, k: 8192, batch: undefined })).not.toBe(key);
  });
});

describe('tunedChoice', () => {
  const shape = { m: 4, n: 8, k: 16 };
  const candidates = () => [
    { variant: 'tiled', rows: 4 },
    { variant: 'tiled', rows: 8 },
  ];
  const tuned = { 'matmul k=16,m=4,n=8': { rows: 8, variant: 'tiled' } };

  it('gives what was measured, as the kernel itself would write it', () => {
    expect(tunedChoice({ tuned }, 'matmul', shape, candidates)).toEqual({ variant: 'tiled', rows: 8 });
  });

  it('knows nothing of other shapes, other kernels, and without a table', () => {
    expect(tunedChoice({ tuned }, 'matmul', { ...shape, m: 5 }, candidates)).toBeUndefined();
    expect(tunedChoice({ tuned }, 'conv2d forward', shape, candidates)).toBeUndefined();
    expect(tunedChoice({}, 'matmul', shape, candidates)).toBeUndefined();
    expect(tunedChoice({ tuned: {} }, 'toString', {}, candidates)).toBeUndefined();
  });

  it('takes no choice that is not a candidate today', () => {
    for (const choice of [
      { variant: 'tiled', rows: 16 },
      { variant: 'tiled' },
      { variant: 'tiled', rows: '8' },
    ]) {
      const table = { 'matmul k=16,m=4,n=8': choice };
      expect(tunedChoice({ tuned: table }, 'matmul', shape, candidates)).toBeUndefined();
    }
  });

  it('is gone from a target without its table', () => {
    expect(untuned({ maxGrid: 1, tuned })).toEqual({ maxGrid: 1 });
  });
});

describe('sameChoice', () => {
  it('wants the same fields with the same values', () => {
    expect(sameChoice({ a: 1, b: 'x' }, { b: 'x', a: 1 })).toBe(true);
    expect(sameChoice({ a: 1 }, { a: 1, b: undefined })).toBe(false);
    expect(sameChoice({ a: 1 }, { a: '1' })).toBe(false);
  });
});
