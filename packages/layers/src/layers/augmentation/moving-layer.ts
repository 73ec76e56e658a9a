import type { AffineMatrix, FillMode, ImageTransform, Interpolation } from '@convbase/core-gpu';
import type { ImageSize } from '../../augmentation/affine.ts';
import { numberOption } from '../numbers.ts';
import { AugmentationLayer, type AugmentationConfig } from './augmentation-layer.ts';

export interface MovingConfig extends AugmentationConfig {
  /** What stands outside of the picture; `'reflect'` when left out. */
  readonly fillMode?: FillMode;
  /** `'bilinear'` when left out. */
  readonly interpolation?: Interpolation;
  /** For `fillMode: 'constant'`; 0 when left out. */
  readonly fillValue?: number;
}

/** An augmentation layer that moves pixels: what rotation, zoom and translation have in common. */
export abstract class MovingLayer extends AugmentationLayer {
  readonly fillMode: FillMode;
  readonly interpolation: Interpolation;
  readonly fillValue: number;

  constructor(className: string, config: MovingConfig) {
    super(className, config);
    this.fillMode = config.fillMode ?? 'reflect';
    this.interpolation = config.interpolation ?? 'bilinear';
    this.fillValue = numberOption(config.fillValue ?? 0, this.named('fillValue'));
    if (!['reflect', 'wrap', 'constant', 'nearest'].includes(this.fillMode)) {
      this.fail(
        'layer/option',
        `there is no fill mode '${this.fillMode}'`,
        "Give 'reflect', 'wrap', 'constant' or 'nearest'.",
      );
    }
    if (!['bilinear', 'nearest'].includes(this.interpolation)) {
      this.fail(
        'layer/option',
        `there is no interpolation '${this.interpolation}'`,
        "Give 'bilinear' or 'nearest'.",
      );
    }
  }

  /** Where the pixels of the output come from. */
  protected abstract randomMatrix(size: ImageSize, random: () => number): AffineMatrix;

  randomTransform(size: ImageSize, random: () => number): ImageTransform {
    const { fillMode, fillValue, interpolation } = this;
    return {
      matrix: this.randomMatrix(size, random),
      fillMode,
      fillValue,
      interpolation,
      edges: 'tensorflow',
    };
  }
}
