import { reshape } from '../ops/reshape.ts';
import { formatShape, sizeOf, type Dimension, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import { UnaryLayer, type LayerConfig } from './layer.ts';
import { wholeOption } from './numbers.ts';

/** Lays every sample out in one row; no data moves. */
export class Flatten extends UnaryLayer {
  constructor(config: LayerConfig = {}) {
    super('Flatten', config);
  }

  protected outputShape(input: Shape): Shape {
    const [n = null, ...rest] = input;
    return [n, known(rest) ? sizeOf(rest) : null];
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    const [n = 1, ...rest] = x.shape;
    return reshape(x, [n, sizeOf(rest)], context.tape);
  }
}

export interface ReshapeConfig extends LayerConfig {
  /** The new shape of one sample; one dimension may be -1, to be worked out. */
  readonly targetShape: readonly number[];
}

/** Gives every sample another shape; no data moves. */
export class Reshape extends UnaryLayer {
  readonly targetShape: readonly number[];

  constructor(config: ReshapeConfig) {
    super('Reshape', config);
    this.targetShape = config.targetShape.map((dimension) =>
      wholeOption(dimension, this.named('targetShape'), dimension === -1 ? -1 : 0),
    );
    if (config.targetShape.filter((dimension) => dimension === -1).length > 1) {
      this.fail('layer/shape', `more than one dimension of ${formatShape(config.targetShape)} is -1`);
    }
  }

  protected outputShape(input: Shape): Shape {
    const [n = null, ...rest] = input;
    if (known(rest)) return [n, ...this.#resolve(rest)];
    return [n, ...this.targetShape.map((dimension) => (dimension === -1 ? null : dimension))];
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    const [n = 1, ...rest] = x.shape;
    return reshape(x, [n, ...this.#resolve(rest)], context.tape);
  }

  #resolve(from: readonly number[]): readonly number[] {
    const size = sizeOf(from);
    const fixed = sizeOf(this.targetShape.filter((dimension) => dimension !== -1));
    const target = this.targetShape.map((dimension) => (dimension === -1 ? size / fixed : dimension));
    if (sizeOf(target) !== size || !target.every(Number.isInteger)) {
      this.fail('layer/shape', `cannot turn ${formatShape(from)} into ${formatShape(this.targetShape)}`);
    }
    return target;
  }
}

function known(shape: readonly Dimension[]): shape is readonly number[] {
  return !shape.includes(null);
}
