import { planBinaryCorrect, planCategoricalCorrect } from '@convbase/core-gpu';
import { ConvbaseError } from '@convbase/base';
import { entryOf, toCamelCase } from '../layers/names.ts';
import { rowsAndColumns } from '../ops/dims.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A fraction counted on the GPU: hits over chances. */
export interface Metric {
  /** The key in logs and history. */
  readonly name: string;
  /** Whether more or less is better; `'up'` when left out. */
  readonly direction?: 'up' | 'down';
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

const kinds: Readonly<Record<string, Kind | null>> = {
  accuracy: null,
  acc: null,
  binaryAccuracy: 'binary',
  categoricalAccuracy: 'categorical',
  sparseCategoricalAccuracy: 'categorical',
};

/**
 * The metric of a name, or an object as it is. `'accuracy'` means, as in Keras, the share of outputs on the right side
 * of .5 when a sample has one output, else the share of samples whose largest output is the label's.
 */
export function metricFrom(like: string | Metric): Metric {
  if (typeof like !== 'string') return like;
  const kind = entryOf(kinds, toCamelCase(like));
  if (kind === undefined) {
    throw new ConvbaseError('metric/unknown', `there is no metric called ${like}`, {
      fix: `Known are ${Object.keys(kinds).join(', ')}.`,
    });
  }
  return new Accuracy(like, kind);
}
