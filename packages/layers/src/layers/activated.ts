import type { DType, Tensor } from '../tensor/tensor.ts';
import { activate, activationFrom, type ActivationName } from './activate.ts';
import type { CallContext } from './context.ts';
import type { Epilogue } from './fusion.ts';
import { UnaryLayer, type LayerConfig } from './layer.ts';

export interface ActivatedConfig extends LayerConfig {
  /** `'linear'` when left out. */
  readonly activation?: string | null;
}

/** How a layer's linear part is computed. */
export interface LinearOptions extends Epilogue {
  /** What the result is stored as; like the input when left out. */
  readonly dtype?: DType | undefined;
}

/** A layer that ends in an activation, which may be left off (losses want logits) or put into the kernel (relu). */
export abstract class ActivatedLayer extends UnaryLayer {
  readonly activation: ActivationName;

  constructor(className: string, config: ActivatedConfig = {}) {
    super(className, config);
    this.activation = activationFrom(config.activation, this.name);
  }

  /** The layer without its activation, and with what its kernel does besides. */
  abstract linear(x: Tensor, context: CallContext, options: LinearOptions): Tensor;

  protected forward(x: Tensor, context: CallContext): Tensor {
    if (this.activation === 'relu') return this.linear(x, context, { relu: true });
    return activate(this.activation, this.linear(x, context, {}), context.tape);
  }

  override fused(x: Tensor, context: CallContext, epilogue: Epilogue): Tensor {
    const relu = epilogue.relu === true || this.activation === 'relu';
    return this.linear(x, context, { ...epilogue, relu });
  }

  override get outputActivation(): ActivationName {
    return this.activation;
  }

  /** Float32 in mixed precision too, if the layer has weights. */
  override logits([x]: readonly Tensor[], context: CallContext): Tensor {
    if (x === undefined) this.fail('layer/inputs', 'takes one input, not none');
    return this.linear(x, context, { dtype: 'float32' });
  }
}
