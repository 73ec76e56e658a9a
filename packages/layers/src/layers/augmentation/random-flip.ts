import type { ImageTransform } from '@convbase/core-gpu';
import { mirror, type ImageSize } from '../../augmentation/affine.ts';
import { AugmentationLayer, type AugmentationConfig } from './augmentation-layer.ts';

export type FlipMode = 'horizontal' | 'vertical' | 'horizontal_and_vertical';

export interface RandomFlipConfig extends AugmentationConfig {
  /** `'horizontal_and_vertical'` when left out. */
  readonly mode?: FlipMode;
}

/**
 * Mirrors every second picture, on average. In mode `'horizontal_and_vertical'` one draw decides for both directions,
 * as in Keras 3: a picture is turned upside down and mirrored or left alone.
 */
export class RandomFlip extends AugmentationLayer {
  readonly mode: FlipMode;

  constructor(config: RandomFlipConfig = {}) {
    super('RandomFlip', config);
    this.mode = config.mode ?? 'horizontal_and_vertical';
    if (!['horizontal', 'vertical', 'horizontal_and_vertical'].includes(this.mode)) {
      this.fail(
        'layer/option',
        `there is no mode '${this.mode}'`,
        "Give 'horizontal', 'vertical' or 'horizontal_and_vertical'.",
      );
    }
  }

  randomTransform(size: ImageSize, random: () => number): ImageTransform {
    if (random() > 0.5) return {};
    return { matrix: mirror(size, this.mode !== 'vertical', this.mode !== 'horizontal') };
  }
}
