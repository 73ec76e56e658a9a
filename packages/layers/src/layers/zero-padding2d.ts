import { zeroPad2d, type Margins } from '../ops/padding.ts';
import type { Dimension, Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CallContext } from './context.ts';
import { UnaryLayer, type LayerConfig } from './layer.ts';
import { pair, type PairLike } from './pairs.ts';

export interface ZeroPadding2DConfig extends LayerConfig {
  /** One number for all sides, `[vertical, horizontal]`, or `[[top, bottom], [left, right]]`; 1 when left out. */
  readonly padding?: number | readonly [PairLike, PairLike] | readonly (number | readonly number[])[];
}

/** Zeros around each picture. */
export class ZeroPadding2D extends UnaryLayer {
  readonly margins: Margins;

  constructor(config: ZeroPadding2DConfig = {}) {
    super('ZeroPadding2D', config);
    const padding = config.padding ?? 1;
    const [vertical = 0, horizontal = 0] = typeof padding === 'number' ? [padding, padding] : padding;
    const [top, bottom] = pair(vertical, `padding of ${this.name}`, 0);
    const [left, right] = pair(horizontal, `padding of ${this.name}`, 0);
    this.margins = { top, bottom, left, right };
  }

  protected outputShape(input: Shape): Shape {
    const [n = null, h = null, w = null, c = null] = this.singleShape([input], 4);
    const { top, bottom, left, right } = this.margins;
    const grow = (size: Dimension, by: number): Dimension => (size === null ? null : size + by);
    return [n, grow(h, top + bottom), grow(w, left + right), c];
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    return zeroPad2d(x, this.margins, context.tape);
  }
}
