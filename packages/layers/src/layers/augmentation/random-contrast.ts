import type { ImageTransform } from '@convbase/core-gpu';
import type { ImageSize } from '../../augmentation/affine.ts';
import { AugmentationLayer, uniform, type AugmentationConfig } from './augmentation-layer.ts';
import { limitsWithin, valueRangeOf, type Factor, type Limits } from './factors.ts';

export interface RandomContrastConfig extends AugmentationConfig {
  /**
   * `[lower, upper]` draws the contrast from 1 - lower to 1 + upper, each from 0 to 1. One number f draws it from 1 to
   * 1 + f, as Keras 3 does: its lower limit is cut off at 0.
   */
  readonly factor: Factor;
  /** What the result is clipped to; `[0, 255]` when left out. */
  readonly valueRange?: readonly [number, number];
}

/** Moves the values of each channel away from their mean over the picture, or towards it. */
export class RandomContrast extends AugmentationLayer {
  readonly factor: Limits;
  readonly valueRange: Limits;

  constructor(config: RandomContrastConfig) {
    super('RandomContrast', config);
    this.factor = limitsWithin(config.factor, [0, 1], this.name);
    this.valueRange = valueRangeOf(config.valueRange ?? [0, 255], this.name);
  }

  randomTransform(_: ImageSize, random: () => number): ImageTransform {
    const [lower, upper] = this.factor;
    return { contrast: uniform(random, [1 - lower, 1 + upper]), valueRange: this.valueRange };
  }
}
