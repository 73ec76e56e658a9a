import { planDropout } from '@convbase/core-gpu';
import type { Tape } from '../autograd/tape.ts';
import { Tensor } from '../tensor/tensor.ts';

export interface DropoutOptions {
  /** The fraction that is set to zero; the rest is scaled by 1 / (1 - rate). */
  readonly rate: number;
  readonly seed: number;
  /** Where in the stream of random numbers the mask begins: the number of elements dropped over so far. */
  readonly offset: number;
}

/** Dropout. The mask is a function of seed and position alone, so the gradient is the same kernel on dy. */
export function dropout(x: Tensor, options: DropoutOptions, tape: Tape | null = null): Tensor {
  const { gpu } = x;
  const drop = (input: Tensor, label: string): Tensor => {
    const y = Tensor.empty(gpu, input.shape, label, input.dtype);
    gpu.run(planDropout({ count: input.size, ...options }, gpu.target), { x: input.buffer, y: y.buffer });
    return y;
  };
  const y = drop(x, 'dropout');
  tape?.record([x], y, [], (dy) => [drop(dy, 'dropout dx')]);
  return y;
}
