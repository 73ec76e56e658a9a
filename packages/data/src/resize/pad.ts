import { ConvbaseError } from '@convbase/base';
import type { Picture, PictureSize } from '../picture/picture.ts';

/**
 * Puts the picture unscaled in the middle of zeros, as `tf.image.resize_with_crop_or_pad` does: an odd remainder
 * leaves its extra row at the bottom and its extra column at the right.
 *
 * A picture larger than the target is an error (`picture/resize`); nothing is ever cropped.
 */
export function pad(picture: Picture, { height, width }: PictureSize, where?: string): Picture {
  if (picture.height > height || picture.width > width) {
    throw new ConvbaseError(
      'picture/resize',
      `the picture is ${picture.height}x${picture.width} (height x width), more than the ${height}x${width} to pad it to`,
      {
        fix: 'Choose a larger size, or one of the scaling ways: nearest, bilinear, pil-bilinear.',
        ...(where === undefined ? {} : { where }),
      },
    );
  }
  const top = Math.floor((height - picture.height) / 2);
  const left = Math.floor((width - picture.width) / 2);
  const data = new Uint8Array(height * width * 3);
  const rowBytes = picture.width * 3;
  for (let y = 0; y < picture.height; y++) {
    data.set(picture.data.subarray(y * rowBytes, (y + 1) * rowBytes), ((top + y) * width + left) * 3);
  }
  return { width, height, data };
}
