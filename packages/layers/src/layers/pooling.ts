import { averagePool2d, globalAveragePool2d, maxPool2d, type PoolOptions } from '../ops/pooling.ts';
import { reshape } from '../ops/reshape.ts';
import { dims4 } from '../ops/dims.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import { UnaryLayer, type LayerConfig } from './layer.ts';
import { pair, paddingFrom, type PairLike } from './pairs.ts';
import { windowCount } from './window.ts';

export interface PoolingConfig extends LayerConfig {
  /** 2 when left out. */
  readonly poolSize?: PairLike;
  /** The pool size when left out. */
  readonly strides?: PairLike | null;
  /** `'valid'` when left out. */
  readonly padding?: string;
}

abstract class Pooling2D extends UnaryLayer {
  readonly options: PoolOptions;

  constructor(className: string, config: PoolingConfig) {
    super(className, config);
    const poolSize = config.poolSize ?? 2;
    this.options = {
      pool: pair(poolSize, `poolSize of ${this.name}`),
      strides: pair(config.strides ?? poolSize, `strides of ${this.name}`),
      padding: paddingFrom(config.padding ?? 'valid', `padding of ${this.name}`),
    };
  }

  protected outputShape(input: Shape): Shape {
    const [n = null, h = null, w = null, c = null] = this.singleShape([input], 4);
    const { pool, strides, padding } = this.options;
    const oh = windowCount(h, pool[0], strides[0], padding);
    const ow = windowCount(w, pool[1], strides[1], padding);
    if ((oh !== null && oh < 1) || (ow !== null && ow < 1)) {
      this.fail(
        'layer/shape',
        `its ${pool[0]}x${pool[1]} window does not fit into an input of shape ${formatShape(input)}`,
        'Use larger pictures.',
      );
    }
    return [n, oh, ow, c];
  }
}

/** The largest value of each window. */
export class MaxPooling2D extends Pooling2D {
  constructor(config: PoolingConfig = {}) {
    super('MaxPooling2D', config);
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    return maxPool2d(x, this.options, context.tape);
  }
}

/** The mean of each window, over the pixels that exist. */
export class AveragePooling2D extends Pooling2D {
  constructor(config: PoolingConfig = {}) {
    super('AveragePooling2D', config);
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    return averagePool2d(x, this.options, context.tape);
  }
}

export interface GlobalPoolingConfig extends LayerConfig {
  /** Keeps the two axes, each of size 1. */
  readonly keepdims?: boolean;
}

abstract class GlobalPooling2D extends UnaryLayer {
  readonly keepdims: boolean;

  constructor(className: string, config: GlobalPoolingConfig) {
    super(className, config);
    this.keepdims = config.keepdims ?? false;
  }

  protected outputShape(input: Shape): Shape {
    const [n = null, , , c = null] = this.singleShape([input], 4);
    return this.keepdims ? [n, 1, 1, c] : [n, c];
  }

  protected abstract pool(x: Tensor, context: CallContext): Tensor;

  protected forward(x: Tensor, context: CallContext): Tensor {
    const [n, , , c] = dims4(x);
    const pooled = this.pool(x, context);
    const y = reshape(pooled, this.keepdims ? [n, 1, 1, c] : [n, c], context.tape);
    pooled.dispose();
    return y;
  }
}

/** The mean of each channel. */
export class GlobalAveragePooling2D extends GlobalPooling2D {
  constructor(config: GlobalPoolingConfig = {}) {
    super('GlobalAveragePooling2D', config);
  }

  protected pool(x: Tensor, context: CallContext): Tensor {
    return globalAveragePool2d(x, context.tape);
  }
}

/** The largest value of each channel. */
export class GlobalMaxPooling2D extends GlobalPooling2D {
  constructor(config: GlobalPoolingConfig = {}) {
    super('GlobalMaxPooling2D', config);
  }

  protected pool(x: Tensor, context: CallContext): Tensor {
    const [, h, w] = dims4(x);
    return maxPool2d(x, { pool: [h, w], strides: [h, w], padding: 'valid' }, context.tape);
  }
}
