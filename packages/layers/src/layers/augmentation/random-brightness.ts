import type { ImageTransform } from '@convbase/core-gpu';
import type { ImageSize } from '../../augmentation/affine.ts';
import { AugmentationLayer, uniform, type AugmentationConfig } from './augmentation-layer.ts';
import { limitsWithin, valueRangeOf, type Factor, type Limits } from './factors.ts';

export interface RandomBrightnessConfig extends AugmentationConfig {
  /** Fractions of the range of values to be added: `0.2` draws from -0.2 to 0.2; 1 makes a picture white. */
  readonly factor: Factor;
  /** The values that pictures have, to which the result is clipped; `[0, 255]` when left out. */
  readonly valueRange?: readonly [number, number];
}

/** Adds the same random number to all of a picture. */
export class RandomBrightness extends AugmentationLayer {
  readonly factor: Limits;
  readonly valueRange: Limits;

  constructor(config: RandomBrightnessConfig) {
    super('RandomBrightness', config);
    this.factor = limitsWithin(config.factor, [-1, 1], this.name);
    this.valueRange = valueRangeOf(config.valueRange ?? [0, 255], this.name);
  }

  randomTransform(_: ImageSize, random: () => number): ImageTransform {
    const [low, high] = this.valueRange;
    return { offset: uniform(random, this.factor) * (high - low), valueRange: this.valueRange };
  }
}
