import { malformed } from './checks.ts';
import type { ByteSource } from './source.ts';

/** `HEAP` and `GCOL` with their versions, which is all that the library looks at. */
const LOCAL_HEAP = [0x48, 0x45, 0x41, 0x50, 0];
const GLOBAL_HEAP = [0x47, 0x43, 0x4f, 0x4c, 1];
/** The library fetches structures in small pieces. In what is larger, numbers, five bytes may well look like one. */
const LARGEST_READ = 1 << 16;
/** Header of a global heap and of each object in it, with 8-byte lengths as everywhere in Keras' files. */
const HEADER_BYTES = 16;
const LOCAL_HEADER_BYTES = 32;
const END_OF_LIST = 1n;

/**
 * Checks the two structures in which the library, as fuzzing showed, follows a damaged file in a circle without ever
 * reading again: the heaps of names and strings. Layout: HDF5 file format specification, III.D and III.E.
 *
 * @param read what the library has just read from `position`
 * @param start where the HDF5 file starts in the source; addresses count from there
 * @throws ConvbaseError `file/malformed`
 */
export function checkHeaps(read: Uint8Array, position: number, source: ByteSource, start: number): void {
  if (read.length > LARGEST_READ) return;
  for (let at = 0; at + LOCAL_HEAP.length <= read.length; at++) {
    if (read[at] === LOCAL_HEAP[0] && startsWith(read, at, LOCAL_HEAP)) {
      checkLocalHeap(position + at, source, start);
    } else if (read[at] === GLOBAL_HEAP[0] && startsWith(read, at, GLOBAL_HEAP)) {
      checkGlobalHeap(position + at, source);
    }
  }
}

function startsWith(bytes: Uint8Array, at: number, signature: readonly number[]): boolean {
  return signature.every((byte, i) => bytes[at + i] === byte);
}

/** Where strings of attributes are kept: objects one behind the other, of which none may seem to be of size 0. */
function checkGlobalHeap(position: number, source: ByteSource): void {
  if (position + HEADER_BYTES > source.size) return;
  const size = Number(viewOf(source, position, HEADER_BYTES).getBigUint64(8, true));
  const view = viewOf(source, position, size);
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

/** Where names of groups are kept: its free places form a linked list, which may not lead back to itself. */
function checkLocalHeap(position: number, source: ByteSource, start: number): void {
  if (position + LOCAL_HEADER_BYTES > source.size) return;
  const header = viewOf(source, position, LOCAL_HEADER_BYTES);
  const size = header.getBigUint64(8, true);
  const data = header.getBigUint64(24, true);
  const seen = new Set<bigint>();
  // What lies outside the heap or the file the library notices itself.
  for (let place = header.getBigUint64(16, true); place !== END_OF_LIST && place < size;) {
    const at = Number(BigInt(start) + data + place);
    if (seen.has(place)) throw malformed(source.name, `the name table at byte ${position} is damaged`);
    if (at + 8 > source.size) return;
    seen.add(place);
    place = viewOf(source, at, 8).getBigUint64(0, true);
  }
}

function viewOf(source: ByteSource, offset: number, length: number): DataView {
  const bytes = source.bytes(offset, length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
