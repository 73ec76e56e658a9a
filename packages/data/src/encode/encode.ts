import sharp from 'sharp';
import type { Picture } from '../picture/picture.ts';

/** How pictures can be written. */
export type EncodedFormat = 'png' | 'jpeg' | 'webp';

/** A picture as the bytes of a file. PNG loses nothing; JPEG and WebP are of quality 90. */
export async function encodePicture(
  { data, width, height }: Picture,
  format: EncodedFormat = 'png',
): Promise<Uint8Array> {
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  return image.toFormat(format, format === 'png' ? {} : { quality: 90 }).toBuffer();
}
