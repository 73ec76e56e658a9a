import { ConvbaseError } from '@convbase/base';
import { activate } from '../layers/activate.ts';
import type { CallContext } from '../layers/context.ts';
import { widened } from '../ops/cast.ts';
import type { FloatType, Tensor } from '../tensor/tensor.ts';
import type { Network } from './network.ts';

export const precisions = ['float32', 'mixed'] as const;

/** How a model computes: see `Model.precision` and docs/mixed-precision.md. */
export type Precision = (typeof precisions)[number];

/** Checks a name that may come from a file. Throws `precision/unknown`. */
export function precisionFrom(name: string, where: string): Precision {
  const found = precisions.find((known) => known === name);
  if (found !== undefined) return found;
  throw new ConvbaseError('precision/unknown', `there is no precision called ${name}`, {
    where,
    fix: `Known are ${precisions.join(', ')}.`,
  });
}

/** What the inputs of a network are uploaded as; every layer stores what it makes as its input is. */
export function inputType({ precision }: Network): FloatType {
  return precision === 'mixed' ? 'float16' : 'float32';
}

/** A network's outputs, float32 whatever its precision. The caller owns them. */
export function outputsOf(
  network: Network,
  inputs: readonly Tensor[],
  context: CallContext,
): readonly Tensor[] {
  if (network.precision === 'float32') return network.call(inputs, context);
  if (network.outputs.length > 1) {
    return network.call(inputs, context).map((output) => widened(output, context.tape));
  }
  // The layer that makes the only output does so in float32, where it has weights.
  return [activate(network.outputActivation, logitsOf(network, inputs, context), context.tape)];
}

/** A network's only output without the activation that ends it, float32 whatever its precision. */
export function logitsOf(network: Network, inputs: readonly Tensor[], context: CallContext): Tensor {
  return widened(network.logits(inputs, context), context.tape);
}
