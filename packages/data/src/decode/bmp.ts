import type { Picture } from '../picture/picture.ts';
import { PictureError } from './picture-error.ts';

const BI_RGB = 0;
const BI_BITFIELDS = 3;
const MASKS_END = 66;

/**
 * Decodes an uncompressed Windows bitmap: 1, 4, 8 (palette), 16, 24 and 32 bits a pixel, bottom-up or top-down.
 * Run-length compression and the OS/2 header are refused by name. Alpha is dropped.
 */
export function decodeBmp(bytes: Uint8Array, where: string, maxPixels: number): Picture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 54) throw new PictureError('picture/truncated', 'a BMP without its header', where);
  const dataOffset = view.getUint32(10, true);
  const headerBytes = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const signedHeight = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const topDown = signedHeight < 0;
  const height = Math.abs(signedHeight);

  if (headerBytes < 40) throw new PictureError('picture/format', 'a BMP with an OS/2 header', where);
  if (width < 1 || height < 1)
    throw new PictureError('picture/damaged', `a BMP of ${width}x${height} pixels`, where);
  if (width * height > maxPixels)
    throw new PictureError('picture/too-large', `${width}x${height} pixels`, where);
  if (![1, 4, 8, 16, 24, 32].includes(bits))
    throw new PictureError('picture/damaged', `a BMP of ${bits} bits`, where);
  if (compression !== BI_RGB && !(compression === BI_BITFIELDS && (bits === 16 || bits === 32))) {
    throw new PictureError('picture/format', `a compressed BMP (method ${compression})`, where);
  }
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (dataOffset < 14 + headerBytes || dataOffset + rowBytes * height > bytes.byteLength) {
    throw new PictureError('picture/truncated', 'a BMP that is shorter than its header says', where);
  }

  // The masks of the channels lie behind a header of 40 bytes, inside a longer one.
  if (compression === BI_BITFIELDS && Math.max(dataOffset, 14 + headerBytes) < MASKS_END) {
    throw new PictureError('picture/damaged', 'a BMP without the masks of its channels', where);
  }
  const color =
    bits <= 8
      ? paletteColors(view, 14 + headerBytes, dataOffset, bits)
      : directColors(view, bits, compression);
  const data = new Uint8Array(width * height * 3);
  let out = 0;
  for (let y = 0; y < height; y++) {
    const row = dataOffset + (topDown ? y : height - 1 - y) * rowBytes;
    for (let x = 0; x < width; x++) {
      const rgb = color(row, x);
      data[out++] = rgb >>> 16;
      data[out++] = (rgb >>> 8) & 255;
      data[out++] = rgb & 255;
    }
  }
  return { width, height, data };
}

/** Reads pixel `x` of the row that starts at byte `row`, as 0xRRGGBB. */
type ColorReader = (row: number, x: number) => number;

function paletteColors(view: DataView, start: number, end: number, bits: number): ColorReader {
  const stated = view.getUint32(46, true);
  const count = Math.min(stated === 0 ? 1 << bits : stated, 1 << bits, Math.floor((end - start) / 4));
  // Entries that the palette lacks are black, as in PIL.
  const palette = new Uint32Array(1 << bits);
  for (let i = 0; i < count; i++) palette[i] = view.getUint32(start + 4 * i, true) & 0xffffff;
  const perByte = 8 / bits;
  return (row, x) => {
    const byte = view.getUint8(row + Math.floor(x / perByte));
    const shift = 8 - bits * ((x % perByte) + 1);
    return palette[(byte >> shift) & ((1 << bits) - 1)] ?? 0;
  };
}

function directColors(view: DataView, bits: number, compression: number): ColorReader {
  if (bits === 24) {
    return (row, x) =>
      (view.getUint8(row + 3 * x + 2) << 16) |
      (view.getUint8(row + 3 * x + 1) << 8) |
      view.getUint8(row + 3 * x);
  }
  const masks =
    compression === BI_BITFIELDS
      ? [54, 58, 62].map((offset) => view.getUint32(offset, true))
      : bits === 16
        ? [0x7c00, 0x3e0, 0x1f]
        : [0xff0000, 0xff00, 0xff];
  const [red, green, blue] = masks.map(channel);
  return (row, x) => {
    const value = bits === 16 ? view.getUint16(row + 2 * x, true) : view.getUint32(row + 4 * x, true);
    return ((red?.(value) ?? 0) << 16) | ((green?.(value) ?? 0) << 8) | (blue?.(value) ?? 0);
  };
}

/** Takes the bits under `mask` and stretches them to 0..255. */
function channel(mask: number): (value: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (value) => Math.floor((((value & mask) >>> shift) * 255) / most);
}
