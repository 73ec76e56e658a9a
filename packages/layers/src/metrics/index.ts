import { planAccumulate, planBinaryCorrect, planCategoricalCorrect } from '@convbase/core-gpu';
import { ConvbaseError } from '@convbase/base';
import { entryOf, toCamelCase } from '../layers/names.ts';
import { callFunction, type TensorFunction } from '../losses/tensor-function.ts';
import { rowsAndColumns } from '../ops/dims.ts';
import { sum } from '../ops/reduce.ts';
import { nameOf } from '../tensor/host-array.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A fraction counted on the GPU: hits over chances. A mean is one too: a sum over how many it is of. */
export interface Metric {
  /** The key in logs and history. */
  readonly name: string;
  /** Whether more or less is better; `'up'` when left out. Of `'unknown'`, callbacks have to be told their `mode`. */
  readonly direction?: 'up' | 'down' | 'unknown';
  /**
   * Adds the batch's hits to `hits` (one float32) and returns the number of chances. Predictions are the network's
   * outputs, labels have the same shape.
   */
  count(predictions: Tensor, labels: Tensor, hits: Tensor): number;
}

type Kind = 'binary' | 'categorical';

class Accuracy implements Metric {
  readonly name: string;
  readonly #kind: Kind | null;

  constructor(name: string, kind: Kind | null) {
    this.name = name;
    this.#kind = kind;
  }

  count(predictions: Tensor, labels: Tensor, hits: Tensor): number {
    const { gpu } = predictions;
    const { rows, columns: classes } = rowsAndColumns(predictions);
    const kind = this.#kind ?? (classes === 1 ? 'binary' : 'categorical');
    const count = predictions.size;
    const plan =
      kind === 'binary'
        ? planBinaryCorrect({ count }, gpu.target)
        : planCategoricalCorrect({ rows, classes }, gpu.target);
    gpu.run(plan, { predictions: predictions.buffer, labels: labels.buffer, correct: hits.buffer });
    return kind === 'binary' ? count : rows;
  }
}

/** The mean of what a function gives, over samples, or over batches where it gives one number for each. */
class FunctionMetric implements Metric {
  readonly name: string;
  readonly direction = 'unknown';
  readonly #compute: TensorFunction;

  constructor(compute: TensorFunction) {
    this.name = compute.name || 'metric';
    this.#compute = compute;
  }

  count(predictions: Tensor, labels: Tensor, hits: Tensor): number {
    const { gpu } = predictions;
    const values = callFunction(this.#compute, this.name, labels, predictions, null);
    const total = sum(values);
    gpu.run(planAccumulate({ count: 1 }, gpu.target), { total: hits.buffer, value: total.buffer });
    total.dispose();
    values.dispose();
    return values.size;
  }
}

const kinds: Readonly<Record<string, Kind | null>> = {
  accuracy: null,
  acc: null,
  binaryAccuracy: 'binary',
  categoricalAccuracy: 'categorical',
  sparseCategoricalAccuracy: 'categorical',
};

/**
 * The metric of a name, of a function of tensors (called as the function is), or an object as it is. `'accuracy'` means, as in Keras, the share of outputs on the right side
 * of .5 when a sample has one output, else the share of samples whose largest output is the label's.
 */
export function metricFrom(like: string | Metric | TensorFunction): Metric {
  if (typeof like === 'function') return new FunctionMetric(like);
  if (typeof like !== 'string') {
    if (typeof (like as Partial<Metric> | null | undefined)?.count === 'function') return like;
    throw new ConvbaseError('metric/unknown', `${nameOf(like)} is no metric`, {
      fix: 'Give a name, a function (yTrue, yPred) => .., or an object with count.',
    });
  }
  const kind = entryOf(kinds, toCamelCase(like));
  if (kind === undefined) {
    throw new ConvbaseError('metric/unknown', `there is no metric called ${like}`, {
      fix: `Known are ${Object.keys(kinds).join(', ')}.`,
    });
  }
  return new Accuracy(like, kind);
}
