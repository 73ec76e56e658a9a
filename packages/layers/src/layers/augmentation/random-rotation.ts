import type { AffineMatrix } from '@convbase/core-gpu';
import { about, type ImageSize } from '../../augmentation/affine.ts';
import { uniform } from './augmentation-layer.ts';
import { limitsWithin, type Factor, type Limits } from './factors.ts';
import { MovingLayer, type MovingConfig } from './moving-layer.ts';

export interface RandomRotationConfig extends MovingConfig {
  /** Fractions of a full turn, positive counter-clockwise: `0.1` is -36 to 36 degrees, `[-0.2, 0.3]` -72 to 108. */
  readonly factor: Factor;
}

/** Turns pictures about their centre by a random angle. */
export class RandomRotation extends MovingLayer {
  readonly factor: Limits;

  constructor(config: RandomRotationConfig) {
    super('RandomRotation', config);
    this.factor = limitsWithin(config.factor, [-1, 1], this.name);
  }

  protected randomMatrix({ height, width }: ImageSize, random: () => number): AffineMatrix {
    const angle = 2 * Math.PI * uniform(random, this.factor);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return about([cos, -sin, 0, sin, cos, 0], (width - 1) / 2, (height - 1) / 2);
  }
}
