import { scale, shift } from '../ops/elementwise.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import { UnaryLayer, type LayerConfig } from './layer.ts';
import { numberOption } from './numbers.ts';

export interface RescalingConfig extends LayerConfig {
  readonly scale: number;
  /** 0 when left out. */
  readonly offset?: number;
}

/** x * scale + offset. */
export class Rescaling extends UnaryLayer {
  readonly scale: number;
  readonly offset: number;

  constructor(config: RescalingConfig) {
    super('Rescaling', config);
    this.scale = numberOption(config.scale, this.named('scale'));
    this.offset = numberOption(config.offset ?? 0, this.named('offset'));
  }

  protected outputShape(input: Shape): Shape {
    return input;
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    const scaled = scale(x, this.scale, context.tape);
    if (this.offset === 0) return scaled;
    const y = shift(scaled, this.offset, context.tape);
    scaled.dispose();
    return y;
  }
}
