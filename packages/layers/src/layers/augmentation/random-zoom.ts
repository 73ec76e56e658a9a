import type { AffineMatrix } from '@convbase/core-gpu';
import { about, type ImageSize } from '../../augmentation/affine.ts';
import { uniform } from './augmentation-layer.ts';
import { symmetricLimits, type Factor, type Limits } from './factors.ts';
import { MovingLayer, type MovingConfig } from './moving-layer.ts';

export interface RandomZoomConfig extends MovingConfig {
  /** Positive zooms out, negative in: `0.2` draws from 80 % to 120 % of the height to be seen, `[0.2, 0.3]` more. */
  readonly heightFactor: Factor;
  /** The same for the width; when left out, height and width keep their proportion. */
  readonly widthFactor?: Factor;
}

/** Zooms into pictures or out of them, about their centre. */
export class RandomZoom extends MovingLayer {
  readonly heightFactor: Factor;
  readonly widthFactor: Factor | undefined;
  readonly #height: Limits;
  readonly #width: Limits | null;

  constructor(config: RandomZoomConfig) {
    super('RandomZoom', config);
    this.heightFactor = config.heightFactor;
    this.widthFactor = config.widthFactor;
    const limits = (factor: Factor): Limits => symmetricLimits(factor, this.name, { above: -1 });
    this.#height = limits(config.heightFactor);
    this.#width = config.widthFactor === undefined ? null : limits(config.widthFactor);
  }

  protected randomMatrix({ height, width }: ImageSize, random: () => number): AffineMatrix {
    const zy = 1 + uniform(random, this.#height);
    const zx = this.#width === null ? zy : 1 + uniform(random, this.#width);
    return about([zx, 0, 0, 0, zy, 0], (width - 1) / 2, (height - 1) / 2);
  }
}
