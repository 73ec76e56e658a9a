import { ConvbaseError } from '@convbase/base';
import type { Picture, PictureSize } from '../picture/picture.ts';
import { resizeBilinear } from './bilinear.ts';
import { resizeNearest } from './nearest.ts';
import { pad } from './pad.ts';
import { resizePilBilinear } from './pil-bilinear.ts';

const ways = {
  nearest: resizeNearest,
  bilinear: resizeBilinear,
  'pil-bilinear': resizePilBilinear,
  pad,
} as const;

/** The named ways to bring a picture to a size; which one is used changes what a model sees. */
export type ResizeMode = keyof typeof ways;

/** `nearest` (PIL, the default), `bilinear` (TensorFlow), `pil-bilinear` (antialiased), `pad` (centred on zeros). */
export const resizeModes = Object.keys(ways) as readonly ResizeMode[];

/**
 * Brings a picture to `size` pixels; one that has that size already is copied. The proportions are not kept,
 * except by `pad`, which does not scale.
 * `where` is the picture's name for errors.
 *
 * Errors: `picture/resize` when `pad` gets a picture that is too large; RangeError for a size below 1.
 */
export function resize(
  picture: Picture,
  size: PictureSize,
  mode: ResizeMode = 'nearest',
  where?: string,
): Picture {
  if (![size.height, size.width].every((edge) => Number.isInteger(edge) && edge > 0)) {
    throw new RangeError(`pictures of ${size.height}x${size.width} pixels cannot be`);
  }
  if (picture.height === size.height && picture.width === size.width) {
    return { height: size.height, width: size.width, data: new Uint8Array(picture.data) };
  }
  return ways[mode](picture, size, where);
}

/** Takes a resize mode from outside, such as a command line. Error: `picture/resize-mode`. */
export function resizeModeNamed(name: string): ResizeMode {
  const mode = resizeModes.find((known) => known === name);
  if (mode !== undefined) return mode;
  throw new ConvbaseError('picture/resize-mode', `there is no way to resize called ${JSON.stringify(name)}`, {
    fix: `Choose one of: ${resizeModes.join(', ')}.`,
  });
}
