import type { Tape } from '../autograd/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** How labels are given: one number or vector per sample, or the index of a class. */
export type LabelKind = 'values' | 'classIndex';

/**
 * A loss: one number per sample, and the gradient of their mean, written by hand or left to the tape.
 *
 * Labels are float32 of the same shape as the outputs (class indices have been turned into one-hot rows by then).
 */
export interface Loss {
  /** The name in messages and in the history's keys. */
  readonly name: string;
  /** The activation at the network's end that the loss does itself; null if it takes the output as it is. */
  readonly fusedActivation: 'sigmoid' | 'softmax' | null;
  readonly labels: LabelKind;
  /** The loss of each sample, (n). The caller owns it. A loss without `gradient` records on the tape how it came about. */
  perSample(output: Tensor, labels: Tensor, tape?: Tape | null): Tensor;
  /**
   * The gradient of the batch's mean loss with respect to the output, of which each row depends on its sample alone. The
   * caller owns it.
   */
  gradient?(output: Tensor, labels: Tensor): Tensor;
}

/** Of losses whose labels are numbers of 0 to 1. */
export interface SmoothedConfig extends CrossentropyConfig {
  /** How far labels are moved towards all classes being as likely, from 0 to 1; 0 when left out. */
  readonly labelSmoothing?: number;
}

export interface CrossentropyConfig {
  /** Whether the network's output is logits already, without sigmoid or softmax. */
  readonly fromLogits?: boolean;
}
