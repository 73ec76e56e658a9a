import { describe, expect, it } from 'vitest';
import type { ConvolutionTask, Sample, Task } from '../protocol.ts';
import { sampleOf } from '../sample.ts';
import { judge } from './gate.ts';
import { expectedConvolution } from './reference.ts';

const forward: Task = { kind: 'forward', model: 'vgg16', size: 48, batch: 1, materials: {} };

function side(
  label: string,
  features: number[] | undefined,
): { label: string; outputs?: Record<string, Sample> } {
  return features === undefined ? { label } : { label, outputs: { features: sampleOf(features) } };
}

describe('judge, for networks', () => {
  it('takes a result for right that another side has, too', () => {
    const sides = [
      side('a', [1, 2, 3]),
      side('b', [1, 2, 3.000001]),
      side('c', [1, 2, 4]),
      side('d', undefined),
    ];
    const verdicts = judge(forward, sides);
    expect(verdicts.map(({ correct }) => correct)).toEqual([true, true, false, null]);
    expect(verdicts[0]?.reference).toBe('b');
    expect(verdicts[2]?.difference).toBeGreaterThan(0.1);
  });

  it('believes neither of two that differ', () => {
    expect(judge(forward, [side('a', [1]), side('b', [2])]).map(({ correct }) => correct)).toEqual([
      false,
      false,
    ]);
  });

  it('does not know where there is nobody else', () => {
    expect(judge(forward, [side('a', [1]), side('b', undefined)])[0]).toEqual({ correct: null });
  });

  it('fails what is not a number, or of another size', () => {
    const nan = judge(forward, [side('a', [NaN]), side('b', [1])]);
    expect(nan.map(({ correct }) => correct)).toEqual([false, false]);
    const sizes = judge(forward, [side('a', [1, 2]), side('b', [1])]);
    expect(sizes.map(({ correct }) => correct)).toEqual([false, false]);
  });

  it('wants every output right', () => {
    const outputs = (loss: number, update: number): Record<string, Sample> => ({
      loss: sampleOf([loss]),
      update: sampleOf([update]),
    });
    const sides = [
      { label: 'a', outputs: outputs(0.7, 1) },
      { label: 'b', outputs: outputs(0.7, 1.01) },
      { label: 'c', outputs: outputs(0.9, 1) },
    ];
    expect(judge(forward, sides).map(({ correct }) => correct)).toEqual([true, true, false]);
  });
});

describe('judge, for convolutions', () => {
  const task: ConvolutionTask = {
    kind: 'convolution',
    direction: 'forward',
    convolution: { n: 1, h: 8, w: 8, ci: 4, co: 8, kh: 3, kw: 3, strides: [1, 1], padding: 'same' },
  };

  it('compares with float64, not with each other', () => {
    const right = Float32Array.from(expectedConvolution(task).values);
    const wrong = right.map((value) => value * 1.001);
    const sides = [right, wrong, wrong].map((result, i) => ({
      label: String(i),
      outputs: { result: sampleOf(result) },
    }));
    const verdicts = judge(task, sides);
    expect(verdicts.map(({ correct }) => correct)).toEqual([true, false, false]);
    expect(verdicts[0]?.reference).toBe('float64');
    expect(verdicts[0]?.difference).toBeLessThan(1e-6);
  });
});
