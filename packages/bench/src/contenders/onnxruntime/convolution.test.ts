import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { relativeDistance } from '../../numbers.ts';
import type { Convolution, ConvolutionTask } from '../../protocol.ts';
import { convbase } from '../convbase/convbase.ts';
import { prepareConvolution } from './convolution.ts';
import type { Ort } from './ort.ts';

const ort: Ort = {
  Tensor,
  runner: { name: 'test', kind: 'cpu', versions: {} },
  open: (model) => InferenceSession.create(model, { intraOpNumThreads: 1 }),
};

const square: Convolution = {
  n: 2,
  h: 9,
  w: 8,
  ci: 4,
  co: 8,
  kh: 3,
  kw: 3,
  strides: [1, 1],
  padding: 'same',
};

test.each<[string, ConvolutionTask['direction'], Convolution]>([
  ['same', 'forward', square],
  ['strides, valid', 'forward', { ...square, kh: 5, kw: 1, strides: [3, 2], padding: 'valid' }],
  ['same', 'input-gradient', square],
  ['strides, same', 'input-gradient', { ...square, strides: [2, 2] }],
  [
    'strides, valid, ends that no window reaches',
    'input-gradient',
    { ...square, h: 10, strides: [2, 3], padding: 'valid' },
  ],
])('a convolution (%s), %s, is what convbase computes', async (_, direction, convolution) => {
  const task: ConvolutionTask = { kind: 'convolution', direction, convolution };
  const prepared = await prepareConvolution(ort, task);
  await prepared.run();
  const { result = [] } = await prepared.outputs();
  const ours = await convbase.prepare(task, { threads: 1 });
  await ours.run();
  const { result: expected = [] } = await ours.outputs();
  expect(relativeDistance(result, expected)).toBeLessThan(1e-5);
});

test('the gradient of the filter is refused', async () => {
  const task: ConvolutionTask = { kind: 'convolution', direction: 'filter-gradient', convolution: square };
  await expect(prepareConvolution(ort, task)).rejects.toThrow('no gradients');
});
