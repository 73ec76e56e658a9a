import { ConvbaseError } from '@convbase/base';
import { activation, softmax } from '../ops/index.ts';
import type { Tape } from '../autograd/tape.ts';
import type { Slot } from '../ops/conv2d.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';
import type { BatchNormalization } from './batch-normalization.ts';
import type { CallContext } from './context.ts';
import { UnaryLayer, type LayerConfig } from './layer.ts';

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

/** What follows a layer and can be computed inside its own kernel. */
export interface Epilogue {
  /** A normalisation with constant statistics, multiplied into the weights (convolutions only). */
  readonly batchNorm?: BatchNormalization;
  readonly relu?: boolean;
  /** A tensor like the result, added before the relu (convolutions only, without gradients). */
  readonly residual?: Tensor | undefined;
  /** What the result is stored as; like the input when left out. */
  readonly dtype?: DType | undefined;
  /** Channels of a wider tensor to write (convolutions only, without gradients and without a residual). */
  readonly slot?: Slot | undefined;
}

export interface ActivatedConfig extends LayerConfig {
  /** `'linear'` when left out. */
  readonly activation?: string | null;
}

/** A layer that ends in an activation, which may be left off (losses want logits) or put into the kernel (relu). */
export abstract class ActivatedLayer extends UnaryLayer {
  readonly activation: ActivationName;

  constructor(className: string, config: ActivatedConfig = {}) {
    super(className, config);
    this.activation = activationFrom(config.activation, this.name);
  }

  /** The layer without its activation, and with the epilogue. */
  abstract linear(x: Tensor, context: CallContext, epilogue: Epilogue): Tensor;

  protected forward(x: Tensor, context: CallContext): Tensor {
    if (this.activation === 'relu') return this.linear(x, context, { relu: true });
    return activate(this.activation, this.linear(x, context, {}), context.tape);
  }
}
