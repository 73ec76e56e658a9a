import { dropout } from '../ops/dropout.ts';
import { identity } from '../ops/reshape.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import { UnaryLayer, type LayerConfig } from './layer.ts';
import { namedSeed } from './random.ts';

export interface DropoutConfig extends LayerConfig {
  /** The fraction of values set to zero in training, at least 0 and below 1. */
  readonly rate: number;
  readonly seed?: number;
}

/** Sets values to zero at random in training and scales the others so that the sum stays; otherwise does nothing. */
export class Dropout extends UnaryLayer {
  override readonly stochastic = true;
  readonly rate: number;
  /** The seed that was given to the layer itself. */
  readonly ownSeed: number | undefined;
  #seed: number;
  #offset = 0;

  constructor(config: DropoutConfig) {
    super('Dropout', config);
    this.rate = config.rate;
    this.ownSeed = config.seed;
    this.#seed = config.seed ?? namedSeed(0, this.name);
    if (!(config.rate >= 0 && config.rate < 1)) {
      this.fail(
        'layer/rate',
        `a rate of ${config.rate} is not possible`,
        'Give a number from 0 up to, not including, 1.',
      );
    }
  }

  /** Starts the stream of masks anew. */
  override seed(value: number): void {
    this.#seed = this.ownSeed ?? namedSeed(value, this.name);
    this.#offset = 0;
  }

  override get randomOffset(): number {
    return this.#offset;
  }

  override set randomOffset(value: number) {
    this.#offset = value;
  }

  protected outputShape(input: Shape): Shape {
    return input;
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    if (!context.training || this.rate === 0) return identity(x, context.tape);
    const y = dropout(x, { rate: this.rate, seed: this.#seed, offset: this.#offset }, context.tape);
    this.#offset += x.size;
    return y;
  }
}
