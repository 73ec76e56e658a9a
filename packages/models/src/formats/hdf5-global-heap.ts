import { malformed } from './checks.ts';
import type { ByteSource } from './source.ts';

const SIGNATURE = 0x4c4f4347; // 'GCOL'
/** Header of the collection and of each object in it, with 8-byte lengths as everywhere in Keras' files. */
const HEADER_BYTES = 16;

/**
 * Checks a global heap collection (where HDF5 keeps strings of attributes) before the library parses it.
 *
 * The library walks from object to object by their sizes and never arrives if one claims to be free space of size 0,
 * so a single flipped bit could hang the process. Layout: HDF5 file format specification, III.E.
 *
 * @param read what the library has just read from `position`; anything but a collection's start is let pass
 */
export function checkGlobalHeap(read: Uint8Array, position: number, source: ByteSource): void {
  if (read.byteLength < HEADER_BYTES) return;
  const start = new DataView(read.buffer, read.byteOffset, read.byteLength);
  if (start.getUint32(0, true) !== SIGNATURE) return;
  const size = Number(start.getBigUint64(8, true));
  const heap = source.bytes(position, size);
  const view = new DataView(heap.buffer, heap.byteOffset, heap.byteLength);
  // Less room than a header needs is left over, not an object.
  for (let at = HEADER_BYTES; at + HEADER_BYTES <= size;) {
    const index = view.getUint16(at, true);
    const bytes = Number(view.getBigUint64(at + 8, true));
    const whole = index === 0 ? bytes : HEADER_BYTES + Math.ceil(bytes / 8) * 8;
    if (whole < HEADER_BYTES || at + whole > size)
      throw malformed(source.name, `the string table at byte ${position} is damaged`);
    at += whole;
  }
}
