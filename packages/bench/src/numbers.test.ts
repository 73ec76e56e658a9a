import { describe, expect, it } from 'vitest';
import { percentile, relativeDistance } from './numbers.ts';

describe('relativeDistance', () => {
  it('relates the difference to what is expected', () => {
    expect(relativeDistance([3, 5], [3, 4])).toBe(0.2);
    expect(relativeDistance([0], [0])).toBe(0);
  });

  it('is no number where there is nothing to compare', () => {
    expect(relativeDistance([NaN], [1])).toBeNaN();
    expect(relativeDistance([1], [NaN])).toBeNaN();
    expect(relativeDistance([1], [1, 2])).toBeNaN();
  });
});

describe('percentile', () => {
  it('is the value of the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(percentile(hundred, 0.95)).toBe(95);
    expect(percentile([3, 1, 2], 0.95)).toBe(3);
    expect(percentile([], 0.95)).toBeNaN();
  });
});
