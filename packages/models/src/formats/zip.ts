import { Inflate } from 'fflate';
import { ConvbaseError } from '@convbase/base';
import { crc32 } from '../hash/crc32.ts';
import { decodeText, malformed, mostUnpacked, unsupported } from './checks.ts';
import { MemorySource, WindowSource, pieces } from './source.ts';
import type { ByteSource } from './source.ts';

const END_RECORD = 0x06054b50;
const CENTRAL_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const MAX_ENTRIES = 10_000;
const STORED = 0;
const DEFLATED = 8;

interface ZipEntry {
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly localOffset: number;
}

/**
 * The files of a zip archive by name, read from its central directory.
 *
 * Written for `.keras` archives: stored or deflated entries up to 4 GB. Sizes are bounded before anything is unpacked
 * and the CRC-32 of what is read is checked. Names are only looked up, never used as paths.
 */
export class ZipArchive {
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, ZipEntry>;

  constructor(source: ByteSource) {
    this.#source = source;
    this.#entries = readDirectory(source);
  }

  /** Whether there is a file of that name. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * Opens one file: in place if it is stored, unpacked into memory if it is deflated.
   *
   * @param maxBytes refuse files larger than that
   * @throws ConvbaseError `file/malformed` if it is missing, too large, encrypted or damaged
   */
  open(name: string, maxBytes = 2 ** 32): ByteSource {
    const where = `${this.#source.name}, ${name}`;
    const entry = this.#entries.get(name);
    if (entry === undefined) throw malformed(this.#source.name, `the archive has no ${name}`);
    if (entry.encrypted) throw unsupported(where, 'it is encrypted', 'Save the model without a password.');
    if (entry.bytes > maxBytes)
      throw malformed(where, `it claims ${entry.bytes} bytes, at most ${maxBytes} make sense`);
    const packed = new WindowSource(
      this.#source,
      dataOffset(this.#source, entry),
      entry.compressedBytes,
      where,
    );
    let file: ByteSource;
    if (entry.method === STORED) {
      if (entry.compressedBytes !== entry.bytes)
        throw malformed(where, 'its two sizes differ although it is stored');
      file = packed;
    } else if (entry.method === DEFLATED) {
      file = new MemorySource(inflate(packed, entry.bytes), where);
    } else {
      throw unsupported(
        where,
        `it is packed with method ${entry.method}`,
        'Pack it again with deflate or not at all.',
      );
    }
    let crc = 0;
    for (const piece of pieces(file)) crc = crc32(piece, crc);
    if (crc !== entry.crc) throw malformed(where, 'its checksum (CRC-32) is wrong');
    return file;
  }
}

/** Unpacks to exactly `bytes` bytes, stopping as soon as more come out than were promised. */
function inflate(packed: ByteSource, bytes: number): Uint8Array {
  if (bytes > mostUnpacked(packed.size)) {
    throw malformed(packed.name, `${packed.size} bytes will not unpack to the ${bytes} it claims`);
  }
  const unpacked = new Uint8Array(bytes);
  let length = 0;
  const stream = new Inflate((chunk) => {
    if (length + chunk.byteLength > bytes)
      throw malformed(packed.name, `it unpacks to more than the ${bytes} bytes it claims`);
    unpacked.set(chunk, length);
    length += chunk.byteLength;
  });
  try {
    for (const piece of pieces(packed, 1 << 16)) stream.push(piece);
    stream.push(new Uint8Array(0), true);
  } catch (cause) {
    throw cause instanceof ConvbaseError
      ? cause
      : malformed(packed.name, 'its compressed data is damaged', cause);
  }
  if (length !== bytes) throw malformed(packed.name, `it unpacks to ${length} bytes instead of ${bytes}`);
  return unpacked;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readDirectory(source: ByteSource): Map<string, ZipEntry> {
  const where = source.name;
  if (source.size < END_BYTES) throw malformed(where, 'it is too short for a zip archive');
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT);
  const tail = viewOf(source.bytes(source.size - tailBytes, tailBytes));
  let end = tailBytes - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END_RECORD) end--;
  if (end < 0) throw malformed(where, 'the directory at its end is missing, so it is probably cut short');
  const count = tail.getUint16(end + 10, true);
  const directoryBytes = tail.getUint32(end + 12, true);
  const directoryOffset = tail.getUint32(end + 16, true);
  if (count === 0xffff || directoryOffset === 0xffffffff) {
    throw unsupported(where, 'it is a zip64 archive', 'Models above 4 GB are not supported.');
  }
  if (count > MAX_ENTRIES) throw malformed(where, `it claims ${count} files`);

  const directory = source.bytes(directoryOffset, directoryBytes);
  const view = viewOf(directory);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.byteLength || view.getUint32(at, true) !== CENTRAL_ENTRY) {
      throw malformed(where, `entry ${i} of its directory is damaged`);
    }
    const nameBytes = view.getUint16(at + 28, true);
    const next = at + 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > directory.byteLength) throw malformed(where, `entry ${i} of its directory is cut short`);
    const name = decodeText(directory.subarray(at + 46, at + 46 + nameBytes), where);
    if (entries.has(name)) throw malformed(where, `${name} is in it twice`);
    entries.set(name, {
      encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      compressedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      localOffset: view.getUint32(at + 42, true),
    });
    at = next;
  }
  return entries;
}

/** Where an entry's data starts: behind its local header, whose variable parts may differ from the directory's. */
function dataOffset(source: ByteSource, entry: ZipEntry): number {
  const header = viewOf(source.bytes(entry.localOffset, 30));
  if (header.getUint32(0, true) !== LOCAL_ENTRY)
    throw malformed(source.name, 'a file in it does not start where it should');
  return entry.localOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
}
