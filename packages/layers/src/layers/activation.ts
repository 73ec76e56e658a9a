import { activation } from '../ops/activations.ts';
import { identity } from '../ops/reshape.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { ActivatedLayer, type LinearOptions } from './activated.ts';
import type { CallContext } from './context.ts';
import type { FollowsAs } from './fusion.ts';
import type { LayerConfig } from './layer.ts';
import { wholeOption } from './numbers.ts';

/** A layer that is nothing but its activation. */
abstract class PureActivation extends ActivatedLayer {
  protected outputShape(input: Shape): Shape {
    return input;
  }

  linear(x: Tensor, context: CallContext, { relu = false }: LinearOptions): Tensor {
    return relu ? activation('relu', x, context.tape) : identity(x, context.tape);
  }

  override followsAs(): FollowsAs | null {
    return this.activation === 'relu' ? { kind: 'relu' } : null;
  }
}

export interface ActivationConfig extends LayerConfig {
  readonly activation: string;
}

/** Applies a named activation: relu, sigmoid, softmax, tanh or linear. */
export class Activation extends PureActivation {
  constructor(config: ActivationConfig) {
    super('Activation', config);
  }
}

export interface ReLUConfig extends LayerConfig {
  readonly maxValue?: number | null;
  readonly negativeSlope?: number;
  readonly threshold?: number;
}

/** max(x, 0). Keras' variants (a maximum, a slope, a threshold) are `layer/unsupported`. */
export class ReLU extends PureActivation {
  constructor(config: ReLUConfig = {}) {
    super('ReLU', { ...config, activation: 'relu' });
    if (
      (config.maxValue ?? null) !== null ||
      (config.negativeSlope ?? 0) !== 0 ||
      (config.threshold ?? 0) !== 0
    ) {
      this.fail(
        'layer/unsupported',
        'only the plain relu is supported: no maxValue, negativeSlope or threshold',
      );
    }
  }
}

export interface SoftmaxConfig extends LayerConfig {
  /** The last axis, which is the only one supported; -1 when left out. */
  readonly axis?: number;
}

/** Softmax over the last axis. */
export class Softmax extends PureActivation {
  readonly axis: number;

  constructor(config: SoftmaxConfig = {}) {
    super('Softmax', { ...config, activation: 'softmax' });
    this.axis = wholeOption(config.axis ?? -1, this.named('axis'), -Infinity);
  }

  protected override outputShape(input: Shape): Shape {
    if (this.axis !== -1 && this.axis !== input.length - 1) {
      this.fail('layer/axis', `works on axis ${this.axis}; only the last axis is supported`);
    }
    return input;
  }
}
