import { ConvbaseError } from '@convbase/base';
import {
  planSigmoidCrossEntropy,
  planSigmoidCrossEntropyGradient,
  planSoftmaxCrossEntropy,
  planSoftmaxCrossEntropyGradient,
} from '@convbase/core-gpu';
import { rowsAndColumns } from '../ops/dims.ts';
import { scale, shift } from '../ops/elementwise.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { CrossentropyConfig, LabelKind, Loss, SmoothedConfig } from './loss.ts';

/**
 * Cross-entropy computed from logits, which is exact where Keras clips probabilities at 1e-7. Unless `fromLogits` is
 * set, the network has to end in the matching activation, which the loss takes over.
 */
abstract class Crossentropy implements Loss {
  readonly name: string;
  readonly fusedActivation: 'sigmoid' | 'softmax' | null;
  readonly labels: LabelKind = 'values';
  readonly labelSmoothing: number;
  readonly #kind: 'sigmoid' | 'softmax';

  constructor(name: string, kind: 'sigmoid' | 'softmax', config: SmoothedConfig) {
    this.name = name;
    this.#kind = kind;
    this.labelSmoothing = config.labelSmoothing ?? 0;
    if (!(this.labelSmoothing >= 0 && this.labelSmoothing <= 1)) {
      throw new ConvbaseError('loss/smoothing', `labels cannot be smoothed by ${this.labelSmoothing}`, {
        where: name,
        fix: 'Give a number from 0 to 1.',
      });
    }
    this.fusedActivation = config.fromLogits === true ? null : kind;
  }

  perSample(logits: Tensor, labels: Tensor): Tensor {
    const { gpu } = logits;
    const { rows, columns: classes } = rowsAndColumns(logits);
    const losses = Tensor.empty(gpu, [rows], this.name);
    const smoothed = this.#smooth(labels, classes);
    const plan = this.#kind === 'sigmoid' ? planSigmoidCrossEntropy : planSoftmaxCrossEntropy;
    gpu.run(plan({ rows, classes }, gpu.target), {
      logits: logits.buffer,
      labels: smoothed.buffer,
      losses: losses.buffer,
    });
    smoothed.dispose();
    return losses;
  }

  gradient(logits: Tensor, labels: Tensor): Tensor {
    const { gpu } = logits;
    const { rows, columns: classes } = rowsAndColumns(logits);
    const dlogits = Tensor.empty(gpu, logits.shape, `${this.name} gradient`);
    const smoothed = this.#smooth(labels, classes);
    const plan = this.#kind === 'sigmoid' ? planSigmoidCrossEntropyGradient : planSoftmaxCrossEntropyGradient;
    gpu.run(plan({ rows, classes, scale: 1 / rows }, gpu.target), {
      logits: logits.buffer,
      labels: smoothed.buffer,
      dlogits: dlogits.buffer,
    });
    smoothed.dispose();
    return dlogits;
  }

  /** Labels moved towards 1/2 or, for one class of several, towards 1 / classes. The caller owns them. */
  #smooth(labels: Tensor, classes: number): Tensor {
    if (this.labelSmoothing === 0) return labels.share();
    const even = this.#kind === 'sigmoid' ? 1 / 2 : 1 / classes;
    const shrunk = scale(labels, 1 - this.labelSmoothing);
    const smoothed = shift(shrunk, this.labelSmoothing * even);
    shrunk.dispose();
    return smoothed;
  }
}

/** For outputs that are each a yes or no; the mean over a sample's outputs. Ends the network's sigmoid. */
export class BinaryCrossentropy extends Crossentropy {
  constructor(config: SmoothedConfig = {}) {
    super('binaryCrossentropy', 'sigmoid', config);
  }
}

/** For one class of several, labels as one-hot (or soft) rows. Ends the network's softmax. */
export class CategoricalCrossentropy extends Crossentropy {
  constructor(config: SmoothedConfig = {}) {
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
