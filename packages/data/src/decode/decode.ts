import { readBounded } from '@convbase/base/node';
import sharp, { type Sharp } from 'sharp';
import type { Picture } from '../picture/picture.ts';
import { avifSizes } from './avif.ts';
import { decodeBmp } from './bmp.ts';
import { PictureError } from './picture-error.ts';
import { fullSizeRoom } from './room.ts';
import { sniffFormat } from './sniff.ts';

/** PIL's own limit against pictures that are small as files and huge in memory (twice `MAX_IMAGE_PIXELS`). */
const MAX_PIXELS = 178_956_970;
/** What that many pixels take uncompressed at 16 bits a channel. */
const MAX_FILE_BYTES = 6 * MAX_PIXELS;

/**
 * Decodes a picture to 8-bit RGB as Keras does (PIL's `convert('RGB')`), except that EXIF orientation is applied.
 *
 * JPEG, PNG, WebP, GIF (first frame), TIFF (first page), AVIF and uncompressed BMP, told by their first bytes. Grey
 * becomes three equal channels; alpha is dropped, not blended; embedded colour profiles are ignored; CMYK is converted
 * by PIL's formula `(255 - c) (255 - k) / 255`; of 16-bit channels the high byte is kept. A truncated file is an
 * error, as in PIL. Decoding runs on libuv's worker threads, not on the thread that calls.
 *
 * @param source the path of a file, or its bytes
 * @param where what to call it in errors; by default its path
 *
 * Errors: PictureError (`picture/...`), or the codes of `readBounded` when the file cannot be read.
 */
export async function decodeImage(source: string | Uint8Array, where?: string): Promise<Picture> {
  if (typeof source !== 'string') return decodeBytes(source, where ?? 'picture');
  return decodeBytes(await readBounded(source, MAX_FILE_BYTES), where ?? source);
}

async function decodeBytes(bytes: Uint8Array, where: string): Promise<Picture> {
  if (bytes.byteLength === 0) throw new PictureError('picture/empty', 'the file is empty', where);
  const format = sniffFormat(bytes);
  if (format === undefined) {
    throw new PictureError('picture/format', 'not a JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP picture', where);
  }
  if (format === 'bmp') return decodeBmp(bytes, where, MAX_PIXELS);
  if (format === 'avif') {
    for (const { width, height } of avifSizes(bytes)) checkSize(bytes.byteLength, width, height, where);
  }
  try {
    return await decodeWithSharp(bytes, where);
  } catch (error) {
    throw error instanceof PictureError ? error : sharpError(error, where);
  }
}

/** Room for each pixel while a picture is decoded: four channels, and the three that are left. */
const BYTES_PER_PIXEL = 7;
/** A picture of 17 million pixels may come from a file of any size. */
const ANYWAY_BYTES = 120e6;
/** DEFLATE cannot do better. */
const MAX_RATIO = 1032;

/**
 * Refuses what has too many pixels, and a few bytes that claim to be a huge picture, for which the room would be taken
 * before anything is read.
 */
function checkSize(fileBytes: number, width: number, height: number, where: string): void {
  if (width * height > MAX_PIXELS) {
    throw new PictureError('picture/too-large', `${width} x ${height} pixels`, where);
  }
  const bytes = width * height * BYTES_PER_PIXEL;
  if (bytes <= Math.max(ANYWAY_BYTES, fileBytes * MAX_RATIO)) return;
  const what = `a file of ${fileBytes} bytes that claims to be ${width} x ${height} pixels`;
  throw new PictureError('picture/too-large', what, where);
}

async function decodeWithSharp(bytes: Uint8Array, where: string): Promise<Picture> {
  const image = sharp(bytes, {
    failOn: 'error',
    ignoreIcc: true,
    autoOrient: true,
    limitInputPixels: MAX_PIXELS,
  });
  const { space, width: across, height: down } = await image.metadata();
  checkSize(bytes.byteLength, across, down, where);
  return fullSizeRoom.use(across * down * 3, () => pixelsOf(image, space));
}

async function pixelsOf(image: Sharp, space: string | undefined): Promise<Picture> {
  const cmyk = space === 'cmyk';
  if (cmyk) image.pipelineColourspace('cmyk').toColourspace('cmyk');
  else image.toColourspace('srgb').removeAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const pixels = width * height;
  const channels = data.byteLength / pixels;
  if (cmyk && channels >= 4) return { width, height, data: cmykToRgb(data, pixels, channels) };
  if (channels === 3) return { width, height, data };
  throw new Error(`decoded to ${channels} channels`);
}

/** PIL's `convert('RGB')`: for each ink `clip((255 - k) - ink * (255 - k) / 255)`, the division rounded. */
function cmykToRgb(inks: Uint8Array, pixels: number, channels: number): Uint8Array {
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const light = 255 - (inks[i * channels + 3] ?? 0);
    for (let c = 0; c < 3; c++) {
      const product = (inks[i * channels + c] ?? 0) * light + 128;
      rgb[i * 3 + c] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}

function sharpError(error: unknown, where: string): PictureError {
  const message = error instanceof Error ? error.message : String(error);
  if (/pixel limit/i.test(message)) {
    return new PictureError('picture/too-large', 'the picture has too many pixels', where, error);
  }
  if (/premature end|unexpected end/i.test(message)) {
    return new PictureError('picture/truncated', 'the picture is cut off', where, error);
  }
  const reason = message.split('\n')[0] ?? message;
  return new PictureError('picture/damaged', `the picture is damaged or cut off (${reason})`, where, error);
}
