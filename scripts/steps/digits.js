import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { deflateSync } from 'node:zlib';

/**
 * A digit of an idx file of pictures: 16 bytes of header with the sizes, then the pixels (http://yann.lecun.com/exdb/mnist).
 *
 * @param {Buffer} bytes
 * @param {number} index
 * @returns {{ width: number, height: number, pixels: Buffer }} 0 is paper, 255 is ink
 */
export function digitAt(bytes, index) {
  const height = bytes.readUInt32BE(8);
  const width = bytes.readUInt32BE(12);
  const start = 16 + index * width * height;
  return { width, height, pixels: bytes.subarray(start, start + width * height) };
}

/** What a pixel of a braille character adds to its code, by row and column (Unicode block U+2800). */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/**
 * Text that looks like the digits, side by side: each character stands for four rows of two pixels.
 *
 * @param {readonly { width: number, height: number, pixels: Buffer }[]} digits of one height
 * @returns {string}
 */
export function drawDigits(digits) {
  const lines = [];
  for (let y = 0; y < (digits[0]?.height ?? 0); y += 4) {
    const parts = digits.map(({ width, pixels }) => {
      let line = '';
      for (let x = 0; x < width; x += 2) {
        const inked = dots.flatMap((row, dy) =>
          row.filter((_, dx) => (pixels[(y + dy) * width + x + dx] ?? 0) > 100),
        );
        line += String.fromCharCode(0x2800 + inked.reduce((sum, dot) => sum + dot, 0));
      }
      return line;
    });
    lines.push(parts.join('  '));
  }
  return lines.join('\n');
}

/**
 * Writes a grey picture as PNG (8 bit, no filter; https://www.w3.org/TR/png).
 *
 * @param {string} path
 * @param {{ width: number, height: number, pixels: Buffer }} picture
 */
export async function writePng(path, { width, height, pixels }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(8, 8);
  const rows = Array.from({ length: height }, (_, y) => [
    Buffer.alloc(1),
    pixels.subarray(y * width, (y + 1) * width),
  ]).flat();
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]));
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** @param {Buffer} bytes */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
