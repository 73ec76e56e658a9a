import type { WrittenFile } from '../../formats/hdf5-module.ts';
import { bytesOf, type Hdf5Values } from './hdf5-tree.ts';

const BLOCK_BYTES = 1 << 16;

/**
 * An address at which the library's memory has nothing: it ends before, whatever it grows to. Values said to lie there
 * cannot be looked at, only be passed on to the file.
 */
export const NOWHERE = 2 ** 31;

/**
 * A file as the library plans it: what it writes, but of large datasets only where their values go, so that these can
 * be read when it is their turn.
 */
export class PlannedFile implements WrittenFile {
  readonly name: string;
  size = 0;
  /** Those pieces of the file in which anything was written, by their number. */
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #places: { readonly values: Hdf5Values; readonly position: number }[] = [];
  /** The dataset whose values are said to lie `NOWHERE`. */
  #absent: Hdf5Values | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Leaves room for values, where `work` lets the library write a dataset whose values are said to lie `NOWHERE`. */
  leaveRoom(values: Hdf5Values, work: () => void): void {
    const places = this.#places.length;
    this.#absent = values;
    work();
    if (this.#places.length === places)
      throw new Error(`${this.name}: the HDF5 library does not write values`);
  }

  read(target: Uint8Array, position: number): void {
    let at = 0;
    for (const piece of this.#written(position, position + target.length)) {
      target.set(piece, at);
      at += piece.length;
    }
  }

  write(memory: Int8Array, address: number, length: number, position: number): void {
    this.size = Math.max(this.size, position + length);
    if (address >= NOWHERE) {
      if (this.#absent === undefined || address !== NOWHERE || length !== bytesOf(this.#absent)) {
        throw new Error(`${this.name}: the HDF5 library writes values in parts`);
      }
      this.#places.push({ values: this.#absent, position });
      this.#absent = undefined;
      return;
    }
    const bytes = new Uint8Array(memory.buffer, memory.byteOffset + address, length);
    for (let at = 0; at < length;) {
      const number = Math.floor((position + at) / BLOCK_BYTES);
      const from = (position + at) % BLOCK_BYTES;
      const piece = bytes.subarray(at, at + BLOCK_BYTES - from);
      const block = this.#blocks.get(number) ?? new Uint8Array(BLOCK_BYTES);
      block.set(piece, from);
      this.#blocks.set(number, block);
      at += piece.length;
    }
  }

  /** The whole file in order. Asks for the values of one dataset after the other. */
  async *pieces(read: (values: Hdf5Values) => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (const { values, position } of this.#places.sort((a, b) => a.position - b.position)) {
      yield* this.#written(at, position);
      yield await read(values);
      at = position + bytesOf(values);
    }
    yield* this.#written(at, this.size);
  }

  /** Bytes of the file in pieces; zeros where nothing was written. */
  *#written(from: number, to: number): Generator<Uint8Array> {
    for (let at = from; at < to;) {
      const start = at % BLOCK_BYTES;
      const block = this.#blocks.get(Math.floor(at / BLOCK_BYTES)) ?? new Uint8Array(BLOCK_BYTES);
      const piece = block.subarray(start, Math.min(BLOCK_BYTES, start + to - at));
      yield piece;
      at += piece.length;
    }
  }
}
