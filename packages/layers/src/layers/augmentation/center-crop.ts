import { dims4 } from '../../ops/dims.ts';
import { crop, resize } from '../../ops/resize.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { UnaryLayer, type LayerConfig } from '../layer.ts';
import { pair } from '../pairs.ts';
import { largestCrop } from './largest-crop.ts';

export interface CenterCropConfig extends LayerConfig {
  readonly height: number;
  readonly width: number;
}

/**
 * The middle of pictures, in training and otherwise. Pictures that are too small in one direction are cut to the
 * proportions of the output and enlarged.
 */
export class CenterCrop extends UnaryLayer {
  override readonly differentiable = false;
  readonly height: number;
  readonly width: number;

  constructor(config: CenterCropConfig) {
    super('CenterCrop', config);
    [this.height, this.width] = pair([config.height, config.width], `the size of ${this.name}`);
  }

  protected outputShape(input: Shape): Shape {
    const [n = null, , , c = null] = this.singleShape([input], 4);
    return [n, this.height, this.width, c];
  }

  protected forward(x: Tensor): Tensor {
    const [, h, w] = dims4(x);
    const [above, before] = [h - this.height, w - this.width];
    if (above >= 0 && before >= 0) return crop(x, Math.floor(above / 2), Math.floor(before / 2), this);
    const part = largestCrop(x, this);
    const y = resize(part, this);
    part.dispose();
    return y;
  }
}
