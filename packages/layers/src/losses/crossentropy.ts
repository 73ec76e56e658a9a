import {
  planSigmoidCrossEntropy,
  planSigmoidCrossEntropyGradient,
  planSoftmaxCrossEntropy,
  planSoftmaxCrossEntropyGradient,
} from '@convbase/core-gpu';
import { rowsAndColumns } from '../ops/dims.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { CrossentropyConfig, LabelKind, Loss } from './loss.ts';

/**
 * Cross-entropy computed from logits, which is exact where Keras clips probabilities at 1e-7. Unless `fromLogits` is
 * set, the network has to end in the matching activation, which the loss takes over.
 */
abstract class Crossentropy implements Loss {
  readonly name: string;
  readonly takesOver: 'sigmoid' | 'softmax' | null;
  readonly labels: LabelKind = 'values';
  readonly #kind: 'sigmoid' | 'softmax';

  constructor(name: string, kind: 'sigmoid' | 'softmax', config: CrossentropyConfig) {
    this.name = name;
    this.#kind = kind;
    this.takesOver = config.fromLogits === true ? null : kind;
  }

  perSample(logits: Tensor, labels: Tensor): Tensor {
    const { gpu } = logits;
    const { rows, columns: classes } = rowsAndColumns(logits);
    const losses = Tensor.empty(gpu, [rows], this.name);
    const plan = this.#kind === 'sigmoid' ? planSigmoidCrossEntropy : planSoftmaxCrossEntropy;
    gpu.run(plan({ rows, classes }, gpu.target), {
      logits: logits.buffer,
      labels: labels.buffer,
      losses: losses.buffer,
    });
    return losses;
  }

  gradient(logits: Tensor, labels: Tensor): Tensor {
    const { gpu } = logits;
    const { rows, columns: classes } = rowsAndColumns(logits);
    const dlogits = Tensor.empty(gpu, logits.shape, `${this.name} gradient`);
    const plan = this.#kind === 'sigmoid' ? planSigmoidCrossEntropyGradient : planSoftmaxCrossEntropyGradient;
    gpu.run(plan({ rows, classes, scale: 1 / rows }, gpu.target), {
      logits: logits.buffer,
      labels: labels.buffer,
      dlogits: dlogits.buffer,
    });
    return dlogits;
  }
}

/** For outputs that are each a yes or no; the mean over a sample's outputs. Ends the network's sigmoid. */
export class BinaryCrossentropy extends Crossentropy {
  constructor(config: CrossentropyConfig = {}) {
    super('binaryCrossentropy', 'sigmoid', config);
  }
}

/** For one class of several, labels as one-hot (or soft) rows. Ends the network's softmax. */
export class CategoricalCrossentropy extends Crossentropy {
  constructor(config: CrossentropyConfig = {}) {
    super('categoricalCrossentropy', 'softmax', config);
  }
}

/** For one class of several, labels as class indices. Ends the network's softmax. */
export class SparseCategoricalCrossentropy extends Crossentropy {
  override readonly labels = 'classIndex';

  constructor(config: CrossentropyConfig = {}) {
    super('sparseCategoricalCrossentropy', 'softmax', config);
  }
}
