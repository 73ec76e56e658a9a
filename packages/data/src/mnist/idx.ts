import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ConvbaseError } from '@convbase/base';
import { readBounded } from '@convbase/base/node';

/** More than any idx file of the MNIST family holds; keeps a small .gz from asking for gigabytes. */
const MAX_BYTES = 2 ** 30;

export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Reads an idx file of unsigned bytes (http://yann.lecun.com/exdb/mnist), gzipped or not, told by its first bytes.
 *
 * The format: two zero bytes, the element type (8), the number of dimensions, each dimension as a big-endian uint32,
 * the elements. Error `idx/damaged` if anything is not so, or the length is not what the dimensions say.
 */
export async function readIdx(path: string, dimensions: number): Promise<IdxArray> {
  let bytes: Uint8Array = await readBounded(path, MAX_BYTES);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = await promisify(gunzip)(bytes, { maxOutputLength: MAX_BYTES });
    } catch (cause) {
      throw damaged(path, 'its gzip data are damaged or cut off', cause);
    }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 4 + 4 * dimensions;
  if (bytes.byteLength < start) throw damaged(path, 'the header is cut off');
  if (view.getUint16(0) !== 0) throw damaged(path, 'not an idx file');
  if (view.getUint8(2) !== 8) throw damaged(path, 'its elements are not unsigned bytes');
  if (view.getUint8(3) !== dimensions)
    throw damaged(path, `${view.getUint8(3)} dimensions, not ${dimensions}`);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const expected = start + shape.reduce((product, size) => product * size, 1);
  if (shape.includes(0)) throw damaged(path, `an array of ${shape.join(' x ')}`);
  if (bytes.byteLength !== expected) {
    throw damaged(path, `${bytes.byteLength} bytes, but its header speaks of ${expected}`);
  }
  return { shape, data: bytes.subarray(start) };
}

function damaged(path: string, what: string, cause?: unknown): ConvbaseError {
  return new ConvbaseError('idx/damaged', what, { where: path, fix: 'Download the file again.', cause });
}
