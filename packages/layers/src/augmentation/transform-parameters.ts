import type { FillMode, ImageTransform, Interpolation } from '@convbase/core-gpu';
import { about, compose, identityMatrix, mirror, type ImageSize } from './affine.ts';

/** What `ImageDataGenerator.getRandomTransform` draws for one picture; Keras' names, camel case. */
export interface TransformParameters {
  /** Rotation in degrees. */
  readonly theta: number;
  /** Shift in pixels along x. Keras draws it from `heightShiftRange`, and so do we. */
  readonly tx: number;
  /** Shift in pixels along y, drawn from `widthShiftRange`. */
  readonly ty: number;
  /** Shear angle in degrees. */
  readonly shear: number;
  /** How many pixels of the input one pixel of the output is wide: above 1 the picture gets smaller. */
  readonly zx: number;
  /** How many pixels of the input one pixel of the output is high. */
  readonly zy: number;
  readonly flipHorizontal: boolean;
  readonly flipVertical: boolean;
  /** Added to every channel; nothing when null. */
  readonly channelShiftIntensity: number | null;
  /** Factor of brightness; nothing when null. */
  readonly brightness: number | null;
}

/** How places that are no pixels of the picture get their values. */
export interface FillOptions {
  readonly fillMode: FillMode;
  readonly cval: number;
  readonly interpolation: Interpolation;
}

/**
 * Keras' `ImageDataGenerator.apply_transform` as an `ImageTransform`.
 *
 * Keras composes rotation, shift, shear and zoom, each a map from the place in the output to the place in the input,
 * about the centre; then it flips. As in Keras the centre of a picture that is not square lies at half its *height*
 * along x and half its *width* along y.
 */
export function imageTransform(
  parameters: TransformParameters,
  size: ImageSize,
  fill: FillOptions,
): ImageTransform {
  const { theta, tx, ty, shear, zx, zy, flipHorizontal, flipVertical } = parameters;
  const { channelShiftIntensity, brightness } = parameters;
  const rotation = (theta * Math.PI) / 180;
  const slant = (shear * Math.PI) / 180;
  const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)];
  const steps = [
    ...(theta === 0 ? [] : [[cos, -sin, 0, sin, cos, 0] as const]),
    ...(tx === 0 && ty === 0 ? [] : [[1, 0, tx, 0, 1, ty] as const]),
    ...(shear === 0 ? [] : [[1, -Math.sin(slant), 0, 0, Math.cos(slant), 0] as const]),
    ...(zx === 1 && zy === 1 ? [] : [[zx, 0, 0, 0, zy, 0] as const]),
  ];
  const moved =
    steps.length === 0
      ? identityMatrix
      : about(steps.reduce(compose, identityMatrix), size.height / 2 - 0.5, size.width / 2 - 0.5);
  return {
    matrix: compose(moved, mirror(size, flipHorizontal, flipVertical)),
    fillMode: fill.fillMode,
    fillValue: fill.cval,
    interpolation: fill.interpolation,
    ...(channelShiftIntensity === null ? {} : { channelShift: channelShiftIntensity }),
    ...(brightness === null ? {} : { brightness }),
  };
}
