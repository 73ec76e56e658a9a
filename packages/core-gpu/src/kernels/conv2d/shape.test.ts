import { describe, expect, it } from 'vitest';
import { conv2dShape, type Conv2dOptions } from './shape.ts';

const base: Conv2dOptions = { input: [1, 5, 7, 3], kernel: [3, 3, 3, 4], strides: [1, 1], padding: 'same' };

describe('conv2dShape', () => {
  it('keeps the size with SAME padding and stride 1, and puts the smaller half of the zeros in front', () => {
    expect(conv2dShape(base)).toMatchObject({ oh: 5, ow: 7, padTop: 1, padLeft: 1 });
    expect(conv2dShape({ ...base, kernel: [2, 4, 3, 4] })).toMatchObject({
      oh: 5,
      ow: 7,
      padTop: 0,
      padLeft: 1,
    });
  });

  it('follows TensorFlow with strides: ceil(in / stride) outputs', () => {
    expect(conv2dShape({ ...base, input: [1, 6, 6, 3], strides: [2, 3] })).toMatchObject({
      ...{ oh: 3, ow: 2, padTop: 0, padLeft: 0 },
    });
  });

  it('counts only windows inside with VALID padding, dilation included', () => {
    expect(conv2dShape({ ...base, padding: 'valid' })).toMatchObject({ oh: 3, ow: 5, padTop: 0, padLeft: 0 });
    expect(conv2dShape({ ...base, padding: 'valid', dilations: [2, 3] })).toMatchObject({ oh: 1, ow: 1 });
  });

  it('refuses channels that disagree, sizes that are no sizes, and windows that do not fit', () => {
    const bad: Partial<Conv2dOptions>[] = [
      { kernel: [3, 3, 4, 4] },
      { strides: [0, 1] },
      { input: [1.5, 5, 7, 3] },
      { kernel: [6, 3, 3, 4], padding: 'valid' },
    ];
    for (const change of bad) {
      expect(() => conv2dShape({ ...base, ...change })).toThrow(
        expect.objectContaining({ code: 'conv2d/shape' }),
      );
    }
  });
});
