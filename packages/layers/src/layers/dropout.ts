import { dropout } from '../ops/dropout.ts';
import { identity } from '../ops/reshape.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import { RandomLayer, type RandomLayerConfig } from './random-layer.ts';

export interface DropoutConfig extends RandomLayerConfig {
  /** The fraction of values set to zero in training, at least 0 and below 1. */
  readonly rate: number;
}

/** Sets values to zero at random in training and scales the others so that the sum stays; otherwise does nothing. */
export class Dropout extends RandomLayer {
  readonly rate: number;

  constructor(config: DropoutConfig) {
    super('Dropout', config);
    this.rate = config.rate;
    if (!(config.rate >= 0 && config.rate < 1)) {
      this.fail(
        'layer/rate',
        `a rate of ${config.rate} is not possible`,
        'Give a number from 0 up to, not including, 1.',
      );
    }
  }

  protected outputShape(input: Shape): Shape {
    return input;
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    if (!context.training || this.rate === 0) return identity(x, context.tape);
    return dropout(x, { rate: this.rate, ...this.draw(x.size) }, context.tape);
  }
}
