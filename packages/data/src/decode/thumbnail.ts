import sharp from 'sharp';
import { decodeImage } from './decode.ts';

/** A small picture for a page, and its media type. */
export interface Thumbnail {
  readonly data: Uint8Array;
  readonly type: 'image/jpeg';
  readonly width: number;
  readonly height: number;
}

/**
 * A picture, made to fit into a square of `size` pixels (never enlarged), as JPEG.
 *
 * Errors: those of `decodeImage`.
 */
export async function thumbnail(path: string, size: number): Promise<Thumbnail> {
  const { data, width, height } = await decodeImage(path);
  const small = sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: size, height: size, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 72, mozjpeg: true });
  const { data: jpeg, info } = await small.toBuffer({ resolveWithObject: true });
  return { data: jpeg, type: 'image/jpeg', width: info.width, height: info.height };
}
