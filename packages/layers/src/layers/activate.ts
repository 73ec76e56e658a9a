import { ConvbaseError } from '@convbase/base';
import { activation, softmax } from '../ops/activations.ts';
import type { Tape } from '../autograd/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

const names = ['linear', 'relu', 'sigmoid', 'softmax', 'tanh'] as const;

export type ActivationName = (typeof names)[number];

/** Checks a name that may come from a file. Throws `activation/unknown`. */
export function activationFrom(name: string | null | undefined, where: string): ActivationName {
  const found = names.find((known) => known === (name ?? 'linear'));
  if (found === undefined) {
    throw new ConvbaseError('activation/unknown', `there is no activation called ${String(name)}`, {
      where,
      fix: `Known are ${names.join(', ')}.`,
    });
  }
  return found;
}

/** Applies an activation and consumes its input. */
export function activate(name: ActivationName, z: Tensor, tape: Tape | null): Tensor {
  if (name === 'linear') return z;
  const y = name === 'softmax' ? softmax(z, tape) : activation(name, z, tape);
  z.dispose();
  return y;
}
