import { ConvbaseError } from '@convbase/base';
import type { Tape } from '../autograd/tape.ts';
import { TapedTensor } from '../autograd/taped-tensor.ts';
import { mean, repeat } from '../ops/reduce.ts';
import { identity, reshape } from '../ops/reshape.ts';
import { nameOf } from '../tensor/host-array.ts';
import { Scope } from '../tensor/scope.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * A loss or metric of one's own, as in Keras: from labels and outputs of one shape (n, ..) to a number for each sample
 * (n), to several for each, of which the mean counts, or to one number for the whole batch.
 */
export type TensorFunction = (yTrue: TapedTensor, yPred: TapedTensor) => TapedTensor;

/**
 * What a function makes of a batch: (n), or a scalar where it gives one number for the batch. The caller owns it. Throws
 * `loss/function` where the function gives something else.
 */
export function callFunction(
  compute: TensorFunction,
  name: string,
  labels: Tensor,
  output: Tensor,
  tape: Tape | null,
): Tensor {
  const scope = new Scope(output.gpu);
  try {
    const given: unknown = compute(
      new TapedTensor(labels, tape, scope),
      new TapedTensor(output, tape, scope),
    );
    if (!(given instanceof TapedTensor)) {
      throw new ConvbaseError('loss/function', `the function gives ${nameOf(given)} and no tensor`, {
        where: name,
        fix: 'Return what is computed from yTrue and yPred: (yTrue, yPred) => yPred.sub(yTrue).square().mean(-1).',
      });
    }
    return bySample(given.tensor, output.shape[0] ?? 0, name, tape);
  } finally {
    scope.dispose();
  }
}

/** The same number for each of `samples`, where a function gives one for all of them. Consumes it. */
export function forEachSample(value: Tensor, samples: number, tape: Tape | null): Tensor {
  if (value.shape.length > 0) return value;
  const repeated = repeat(value, samples, tape);
  value.dispose();
  return repeated;
}

function bySample(given: Tensor, samples: number, name: string, tape: Tape | null): Tensor {
  const { shape, size } = given;
  if (shape.length === 0) return identity(given, tape);
  if (shape[0] !== samples) {
    throw new ConvbaseError(
      'loss/function',
      `the function gives ${formatShape(shape)} for ${samples} samples`,
      {
        where: name,
        fix: 'Return a number for each sample, or one for all of them.',
      },
    );
  }
  const rows = reshape(given, [samples, size / samples], tape);
  const means = size === samples ? reshape(rows, [samples], tape) : mean(rows, -1, tape);
  rows.dispose();
  return means;
}
