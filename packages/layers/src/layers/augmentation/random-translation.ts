import type { AffineMatrix } from '@convbase/core-gpu';
import type { ImageSize } from '../../augmentation/affine.ts';
import { uniform } from './augmentation-layer.ts';
import { symmetricLimits, type Factor, type Limits } from './factors.ts';
import { MovingLayer, type MovingConfig } from './moving-layer.ts';

export interface RandomTranslationConfig extends MovingConfig {
  /** Fractions of the height, positive down: `0.2` draws from -20 % to 20 %. */
  readonly heightFactor: Factor;
  /** Fractions of the width, positive to the right. */
  readonly widthFactor: Factor;
}

/** Shifts pictures. */
export class RandomTranslation extends MovingLayer {
  readonly heightFactor: Factor;
  readonly widthFactor: Factor;
  readonly #height: Limits;
  readonly #width: Limits;

  constructor(config: RandomTranslationConfig) {
    super('RandomTranslation', config);
    this.heightFactor = config.heightFactor;
    this.widthFactor = config.widthFactor;
    this.#height = symmetricLimits(config.heightFactor, this.name);
    this.#width = symmetricLimits(config.widthFactor, this.name);
  }

  protected randomMatrix({ height, width }: ImageSize, random: () => number): AffineMatrix {
    const dy = uniform(random, this.#height) * height;
    const dx = uniform(random, this.#width) * width;
    return [1, 0, -dx, 0, 1, -dy];
  }
}
