import { describe, expect, it } from 'vitest';
import { operands, outputSize } from '../inputs.ts';
import type { Convolution, Direction } from '../protocol.ts';
import { expectedConvolution } from './reference.ts';

const shape = { n: 2, h: 5, w: 4, ci: 3, co: 2, kh: 3, kw: 2 } as const;
const convolutions: Convolution[] = [
  { ...shape, strides: [1, 1], padding: 'same' },
  { ...shape, strides: [2, 1], padding: 'valid' },
  { ...shape, strides: [2, 2], padding: 'same' },
];

function expected(convolution: Convolution, direction: Direction): Float64Array {
  return expectedConvolution({ kind: 'convolution', convolution, direction }).values;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

describe.each(convolutions)('the reference of %j', (c) => {
  it('is linear in each operand, and its gradients are the transposed of that', () => {
    const { x, kernel, dy } = operands(c);
    const product = dot(expected(c, 'forward'), dy);
    expect(dot(x, expected(c, 'input-gradient'))).toBeCloseTo(product, 10);
    expect(dot(kernel, expected(c, 'filter-gradient'))).toBeCloseTo(product, 10);
  });

  it('multiplies a window with the kernel', () => {
    const { x, kernel } = operands(c);
    const { oh, ow } = outputSize(c);
    // The second output of the first row lies inside in all of these cases but for rows above the picture.
    const top = c.padding === 'valid' ? 0 : Math.max((oh - 1) * c.strides[0] + c.kh - c.h, 0) >> 1;
    let sum = 0;
    for (let p = top; p < c.kh; p++) {
      for (let q = 0; q < c.kw; q++) {
        for (let k = 0; k < c.ci; k++) {
          const at = ((p - top) * c.w + c.strides[1] + q) * c.ci + k;
          sum += (x[at] ?? NaN) * (kernel[((p * c.kw + q) * c.ci + k) * c.co] ?? NaN);
        }
      }
    }
    expect(ow).toBeGreaterThan(1);
    expect(expected(c, 'forward')[c.co]).toBeCloseTo(sum, 12);
  });
});

it('computes fewer places of long sums', () => {
  const long: Convolution = {
    n: 1,
    h: 256,
    w: 256,
    ci: 8,
    co: 64,
    kh: 3,
    kw: 3,
    strides: [1, 1],
    padding: 'same',
  };
  const { places, values } = expectedConvolution({
    kind: 'convolution',
    convolution: long,
    direction: 'filter-gradient',
  });
  expect(places.length).toBe(values.length);
  expect(places.length).toBeGreaterThan(300);
  expect(places.length).toBeLessThan(1024);
});
