import type { Tape } from '../autograd/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { LabelKind, Loss } from './loss.ts';
import { callFunction, forEachSample, type TensorFunction } from './tensor-function.ts';

export interface FunctionLossConfig {
  /** What messages call it; the function's name when left out. */
  readonly name?: string;
  /** `'classIndex'` turns class indices into one-hot rows before the function sees them; `'values'` when left out. */
  readonly labels?: LabelKind;
}

/** A loss that is a function of tensors, whose gradient the tape finds. */
export class FunctionLoss implements Loss {
  readonly name: string;
  readonly fusedActivation = null;
  readonly labels: LabelKind;
  readonly #compute: TensorFunction;

  constructor(compute: TensorFunction, config: FunctionLossConfig = {}) {
    this.#compute = compute;
    this.name = config.name ?? (compute.name || 'loss');
    this.labels = config.labels ?? 'values';
  }

  perSample(output: Tensor, labels: Tensor, tape: Tape | null = null): Tensor {
    const losses = callFunction(this.#compute, this.name, labels, output, tape);
    return forEachSample(losses, output.shape[0] ?? 1, tape);
  }
}
