import type { Interpolation } from '@convbase/core-gpu';
import { dims4 } from '../../ops/dims.ts';
import { crop, resize } from '../../ops/resize.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { UnaryLayer, type LayerConfig } from '../layer.ts';
import { numberOption } from '../numbers.ts';
import { pair } from '../pairs.ts';
import { largestCrop } from './largest-crop.ts';

export interface ResizingConfig extends LayerConfig {
  readonly height: number;
  readonly width: number;
  /** `'bilinear'` when left out. */
  readonly interpolation?: Interpolation;
  /** Cuts off what the proportions of the output have no room for, instead of distorting. */
  readonly cropToAspectRatio?: boolean;
  /** Adds borders of `fillValue` (0 when left out), instead of distorting. */
  readonly padToAspectRatio?: boolean;
  readonly fillValue?: number;
}

/** Pictures in another size, in training and otherwise; pixel for pixel as TensorFlow resizes without antialiasing. */
export class Resizing extends UnaryLayer {
  override readonly differentiable = false;
  readonly height: number;
  readonly width: number;
  readonly interpolation: Interpolation;
  readonly cropToAspectRatio: boolean;
  readonly padToAspectRatio: boolean;
  readonly fillValue: number;

  constructor(config: ResizingConfig) {
    super('Resizing', config);
    [this.height, this.width] = pair([config.height, config.width], `the size of ${this.name}`);
    this.interpolation = config.interpolation ?? 'bilinear';
    this.cropToAspectRatio = config.cropToAspectRatio ?? false;
    this.padToAspectRatio = config.padToAspectRatio ?? false;
    this.fillValue = numberOption(config.fillValue ?? 0, this.named('fillValue'));
    if (!['bilinear', 'nearest'].includes(this.interpolation)) {
      this.fail(
        'layer/option',
        `there is no interpolation '${this.interpolation}'`,
        "Give 'bilinear' or 'nearest'.",
      );
    }
    if (this.cropToAspectRatio && this.padToAspectRatio) {
      this.fail('layer/option', 'pictures can be cropped or padded, not both');
    }
  }

  protected outputShape(input: Shape): Shape {
    const [n = null, , , c = null] = this.singleShape([input], 4);
    return [n, this.height, this.width, c];
  }

  protected forward(x: Tensor): Tensor {
    if (!this.cropToAspectRatio && !this.padToAspectRatio) return resize(x, this, this.interpolation);
    const inProportion = this.cropToAspectRatio ? largestCrop(x, this) : this.#padded(x);
    const y = resize(inProportion, this, this.interpolation);
    inProportion.dispose();
    return y;
  }

  /** Borders of the same size on both sides, so that an odd pixel is left out, as in Keras. */
  #padded(x: Tensor): Tensor {
    const [, h, w] = dims4(x);
    const border = (length: number, wanted: number): number =>
      Math.trunc((Math.max(length, Math.trunc(wanted)) - length) / 2);
    const top = border(h, (w * this.height) / this.width);
    const left = border(w, (h * this.width) / this.height);
    return crop(x, -top, -left, { height: h + 2 * top, width: w + 2 * left }, this.fillValue);
  }
}
