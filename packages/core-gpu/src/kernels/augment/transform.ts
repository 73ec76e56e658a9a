import { ConvbaseError } from '@convbase/base';

/**
 * What stands outside of a picture `a b c d`: `nearest` a a | a b c d | d d, `reflect` b a | a b c d | d c, `wrap` the
 * other side, `constant` the fill value.
 */
export type FillMode = 'nearest' | 'reflect' | 'wrap' | 'constant';

/** Between pixels: the mean of the four around, weighted by how near they are, or the nearest one. */
export type Interpolation = 'bilinear' | 'nearest';

/**
 * `[a0, a1, a2, b0, b1, b2]`: pixel (x, y) of the output (column, row; from 0 on) is what stands at
 * `(a0 x + a1 y + a2, b0 x + b1 y + b2)` of the input. The first two rows of a 3 x 3 matrix; the third is `0 0 1`.
 */
export type AffineMatrix = readonly [number, number, number, number, number, number];

/**
 * What is done to one picture, as plain data, in this order: geometry, then the colours of `ImageDataGenerator`
 * (channel shift, brightness) or those of the layers (contrast, offset, range). What is left out is not done.
 */
export interface ImageTransform {
  readonly matrix?: AffineMatrix;
  /** `'nearest'` when left out. */
  readonly fillMode?: FillMode;
  /** For `'constant'`, on the scale of the input (bytes: 0 to 255); 0 when left out. */
  readonly fillValue?: number;
  /**
   * Whose rules hold beyond the edge: SciPy's (`ImageDataGenerator`; when left out) or TensorFlow's (the layers).
   * `wrap` repeats a picture of n columns every n - 1 of them in SciPy and every n in TensorFlow; `constant` begins
   * at the centre of the last pixel in SciPy and is blended in over one pixel in TensorFlow.
   */
  readonly edges?: 'scipy' | 'tensorflow';
  /** `'bilinear'` when left out. */
  readonly interpolation?: Interpolation;
  /** Added to all channels; the result is clipped to the smallest and the largest value the picture had before. */
  readonly channelShift?: number;
  /** Factor on whole grey levels of 0 to 255, rounded down as PIL does and clipped to 0 and 255. */
  readonly brightness?: number;
  /** `(v - mean) * contrast + mean`, with the picture's own mean of each channel. */
  readonly contrast?: number;
  /** Added after contrast. */
  readonly offset?: number;
  /** What contrast and offset are clipped to; nothing when left out. */
  readonly valueRange?: readonly [low: number, high: number];
}

/** Whether a transform needs the smallest and largest values or the means of its picture. */
export function needsStatistics(transform: ImageTransform): boolean {
  return transform.channelShift !== undefined || transform.contrast !== undefined;
}

/**
 * Throws `augment/transform` for numbers that are none, an unknown mode, and for colours of both vocabularies in one
 * transform.
 */
export function checkTransform(transform: ImageTransform): void {
  const {
    matrix = [],
    fillValue = 0,
    channelShift = 0,
    brightness = 1,
    contrast = 1,
    offset = 0,
  } = transform;
  const numbers = [...matrix, fillValue, channelShift, brightness, contrast, offset];
  if (![0, 6].includes(matrix.length) || !numbers.every(Number.isFinite)) {
    fail('the transform has a number that is none', 'Six finite numbers make a matrix.');
  }
  const { fillMode = 'nearest', edges = 'scipy', interpolation = 'bilinear' } = transform;
  if (!(fillMode in fillModes)) fail(`the fill mode ${fillMode} is not known`, known(fillModes));
  if (!(interpolation in interpolations)) {
    fail(`the interpolation ${interpolation} is not known`, known(interpolations));
  }
  if (edges !== 'scipy' && edges !== 'tensorflow') fail(`the rules ${String(edges)} are not known`);
  const generator = transform.channelShift !== undefined || transform.brightness !== undefined;
  const layer = transform.contrast !== undefined || transform.offset !== undefined;
  if (generator && layer) {
    fail(
      'colours of the generator and of the layers cannot be mixed in one transform',
      'Apply two transforms.',
    );
  }
}

/** `FILL` in the shader's parameters; `wrap` and `constant` of TensorFlow are 4 more. */
export const fillModes = { nearest: 0, reflect: 1, wrap: 2, constant: 3 } as const satisfies Record<
  FillMode,
  number
>;

export const interpolations = { bilinear: 0, nearest: 1 } as const satisfies Record<Interpolation, number>;

function known(names: object): string {
  return `Known are ${Object.keys(names).join(', ')}.`;
}

function fail(what: string, fix?: string): never {
  throw new ConvbaseError('augment/transform', what, fix === undefined ? {} : { fix });
}
