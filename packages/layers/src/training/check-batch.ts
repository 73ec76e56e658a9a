import { ConvbaseError } from '@convbase/base';
import { checkHostArray, inputsOf, type ArrayInput } from '../tensor/host-array.ts';
import { formatShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Arrays with as many rows as there are samples. */
export interface SampleArrays<A extends ArrayInput = ArrayInput> {
  /** One array, or one for each input of a model with several. */
  readonly x: A | readonly A[];
  readonly y?: A | undefined;
  readonly sampleWeight?: A | undefined;
}

/**
 * Checks a batch before anything of it reaches the GPU: it has samples, its arrays hold what their shapes say, and there
 * are as many labels and weights as samples.
 *
 * @param where which batch it is, for messages
 * @throws ConvbaseError `batch/empty`, `batch/length`, `labels/shape`, `labels/weights`, `array/shape`, `array/type`
 */
export function checkBatch(batch: SampleArrays, where: string): void {
  const inputs = inputsOf(batch);
  const check = (array: ArrayInput, what: string): void => {
    if (!(array instanceof Tensor)) checkHostArray(array, `${what} of ${where}`);
  };
  for (const x of inputs) check(x, 'input');
  const samples = inputs[0]?.shape[0] ?? 0;
  if (samples === 0) {
    throw new ConvbaseError('batch/empty', 'a batch without samples', {
      where,
      fix: 'Leave it out: every batch of a dataset has at least one sample.',
    });
  }
  const { y, sampleWeight } = batch;
  if (y !== undefined) check(y, 'labels');
  if (sampleWeight !== undefined) check(sampleWeight, 'sample weights');
  const others = [
    ...inputs.map((x) => ['batch/length', 'an input', x] as const),
    ...(y === undefined ? [] : [['labels/shape', 'labels', y] as const]),
    ...(sampleWeight === undefined ? [] : [['labels/weights', 'sample weights', sampleWeight] as const]),
  ];
  for (const [code, what, { shape }] of others) {
    if (shape[0] === samples) continue;
    throw new ConvbaseError(code, `${what} of shape ${formatShape(shape)} for ${samples} samples`, {
      where,
      fix: 'The first dimension of every array is that of the samples; give as many of each.',
    });
  }
}
