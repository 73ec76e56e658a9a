import { ConvbaseError } from '@convbase/base';

/**
 * Random access to the bytes of one file, wherever they live (memory, an open file, a part of another source).
 *
 * Readers take a source and ask for the ranges they need, so a 500 MB file is never in memory as a whole.
 */
export interface ByteSource {
  /** What messages call the file. */
  readonly name: string;
  /** Length in bytes, fixed when the source was opened. */
  readonly size: number;
  /** `length` bytes from `offset`; perhaps a view of shared memory, so not to be written to. Throws `file/truncated`. */
  bytes(offset: number, length: number): Uint8Array;
  /** Fills `target` from `offset`. Throws `file/truncated`. */
  readInto(target: Uint8Array, offset: number): void;
  /** Frees what the source holds (a file descriptor). Reading afterwards is an error. */
  close(): void;
}

/** Refuses a range that leaves the file: the first check before any offset from a file is believed. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  const sane = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!sane || offset + length > source.size) {
    throw new ConvbaseError(
      'file/truncated',
      `bytes ${offset} to ${offset + length} are wanted, but the file has ${source.size}`,
      { where: source.name, fix: 'The file is cut short or damaged: fetch it again.' },
    );
  }
}

/** A file that is already in memory; ranges are views, nothing is copied. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #data: Uint8Array;

  constructor(data: Uint8Array | ArrayBuffer, name: string) {
    this.#data = data instanceof Uint8Array ? data : new Uint8Array(data);
    this.name = name;
    this.size = this.#data.byteLength;
  }

  bytes(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    return this.#data.subarray(offset, offset + length);
  }

  readInto(target: Uint8Array, offset: number): void {
    target.set(this.bytes(offset, target.byteLength));
  }

  close(): void {
    // Memory belongs to whoever gave it.
  }
}

/** A part of another source, such as an uncompressed file in a zip archive. Closing it leaves the whole open. */
export class WindowSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #whole: ByteSource;
  readonly #start: number;

  constructor(whole: ByteSource, start: number, size: number, name: string) {
    checkRange(whole, start, size);
    this.#whole = whole;
    this.#start = start;
    this.size = size;
    this.name = name;
  }

  bytes(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    return this.#whole.bytes(this.#start + offset, length);
  }

  readInto(target: Uint8Array, offset: number): void {
    checkRange(this, offset, target.byteLength);
    this.#whole.readInto(target, this.#start + offset);
  }

  close(): void {
    // The whole is closed by its owner.
  }
}

/** Yields the source in pieces of at most `pieceBytes`, in order. */
export function* pieces(source: ByteSource, pieceBytes = 1 << 22): Generator<Uint8Array> {
  for (let offset = 0; offset < source.size; offset += pieceBytes) {
    yield source.bytes(offset, Math.min(pieceBytes, source.size - offset));
  }
}
