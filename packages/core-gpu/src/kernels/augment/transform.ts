/**
 * What stands outside of an image `a b c d`: `nearest` a a | a b c d | d d, `reflect` b a | a b c d | d c, `wrap` the
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
 * What is done to one image, as plain data, in this order: geometry, then the colours of `ImageDataGenerator`
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
   * `wrap` repeats an image of n columns every n - 1 of them in SciPy and every n in TensorFlow; `constant` begins
   * at the centre of the last pixel in SciPy and is blended in over one pixel in TensorFlow.
   */
  readonly edges?: 'scipy' | 'tensorflow';
  /** `'bilinear'` when left out. */
  readonly interpolation?: Interpolation;
  /** Added to all channels; the result is clipped to the smallest and the largest value the image had before. */
  readonly channelShift?: number;
  /** Factor on whole grey levels of 0 to 255, rounded down as PIL does and clipped to 0 and 255. */
  readonly brightness?: number;
  /** `(v - mean) * contrast + mean`, with the image's own mean of each channel. */
  readonly contrast?: number;
  /** Added after contrast. */
  readonly offset?: number;
  /** What contrast and offset are clipped to; nothing when left out. */
  readonly valueRange?: readonly [low: number, high: number];
}
