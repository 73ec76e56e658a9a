import type { Gpu } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Variable } from './variable.ts';

/** How a layer is being called: on which GPU, in training or not, and what is to be differentiated. */
export class CallContext {
  readonly gpu: Gpu;
  /** Whether Dropout drops and trainable BatchNorms use the batch's statistics. */
  readonly training: boolean;
  /** Where ops leave what gradients need; null when nobody asks for gradients. */
  readonly tape: Tape | null;
  readonly #trained: ReadonlySet<Variable>;

  constructor(
    gpu: Gpu,
    training = false,
    tape: Tape | null = null,
    trained: ReadonlySet<Variable> = new Set(),
  ) {
    this.gpu = gpu;
    this.training = training;
    this.tape = tape;
    this.#trained = trained;
  }

  /** Whether gradients of this weight are wanted in this call. */
  trains(variable: Variable): boolean {
    return this.tape !== null && this.#trained.has(variable);
  }

  /** A weight on this call's GPU, watched by the tape if it is to be trained. Borrowed: do not dispose of it. */
  weight(variable: Variable): Tensor;
  weight(variable: Variable | null): Tensor | null;
  weight(variable: Variable | null): Tensor | null {
    if (variable === null) return null;
    const value = variable.tensor(this.gpu);
    if (this.trains(variable)) this.tape?.watch(value);
    return value;
  }
}
