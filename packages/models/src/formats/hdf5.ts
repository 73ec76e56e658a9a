import { ConvbaseError } from '@convbase/base';
import type { Metadata } from 'h5wasm';
import { elementCount, malformed, mostUnpacked, unsupported } from './checks.ts';
import { loadHdf5 } from './hdf5-module.ts';
import type { Hdf5Module, VirtualFile } from './hdf5-module.ts';
import { bytesPerElement, toFloat32 } from './numbers.ts';
import type { StoredType } from './numbers.ts';
import type { ByteSource } from './source.ts';

/** HDF5's own codes for what a name in a group is. */
const GROUP = 0;
const DATASET = 1;
/** Type classes: whole numbers, floats and text are all that Keras writes. */
const INTEGER = 0;
const FLOAT = 1;
const TEXT = 3;

/** Larger tensors pass through the library's memory (which never shrinks) in slabs of about this size. */
const SLAB_BYTES = 1 << 24;
/** Attributes are names and a model config; InceptionV3's config has 90 kB. */
const MAX_ATTRIBUTE_BYTES = 1 << 24;

/** A dataset of numbers, not yet read. */
export interface Hdf5Dataset {
  readonly shape: readonly number[];
  readonly dtype: StoredType;
  read(): Float32Array;
}

/**
 * An HDF5 file, read through the HDF5 library compiled to WebAssembly.
 *
 * The library sees nothing but this one file, and asks `source` for the ranges it needs. Whatever goes wrong inside
 * it becomes a `file/malformed` error that names the file.
 */
export class Hdf5File {
  readonly #source: ByteSource;
  readonly #library: Hdf5Module;
  readonly #file: VirtualFile;
  readonly #id: bigint;
  #open = true;
  /** What the datasets looked at so far claim to hold. */
  #plainBytes = 0;
  #packedBytes = 0;

  private constructor(source: ByteSource, library: Hdf5Module, file: VirtualFile, id: bigint) {
    this.#source = source;
    this.#library = library;
    this.#file = file;
    this.#id = id;
  }

  /** @throws ConvbaseError `file/malformed` if it is no HDF5 file or cut short */
  static async open(source: ByteSource): Promise<Hdf5File> {
    const library = await loadHdf5();
    const file = library.open(source);
    const { functions } = library;
    try {
      const open = () => functions.open(file.path, functions.H5F_ACC_RDONLY, false, -1, -1);
      const id = file.limited(source.name, () => file.call(source.name, open));
      return new Hdf5File(source, functions, file, id);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get name(): string {
    return this.#source.name;
  }

  /** Runs what asks this file many things, all in all at most 10 s long. */
  limited<T>(work: () => T): T {
    return this.#file.limited(this.name, work);
  }

  /** The names in a group, each a group, a dataset or something else (links out of the file count as that). */
  entries(group: string): Map<string, 'group' | 'dataset' | 'other'> {
    return this.#ask(`group ${group}`, () => {
      const entries = new Map<string, 'group' | 'dataset' | 'other'>();
      for (const name of this.#library.get_names(this.#id, group, false)) {
        const type = this.#library.get_type(this.#id, joinPath(group, name));
        entries.set(name, type === GROUP ? 'group' : type === DATASET ? 'dataset' : 'other');
      }
      return entries;
    });
  }

  /** Whether an object carries that attribute. */
  hasAttribute(path: string, name: string): boolean {
    return this.#ask(`attributes of ${path}`, () =>
      (this.#library.get_attribute_names(this.#id, path) as unknown[]).includes(name),
    );
  }

  /** The strings of a text attribute; none for an empty one (which h5py writes as floats). */
  textAttribute(path: string, name: string): string[] {
    const what = `attribute ${name} of ${path}`;
    return this.#ask(what, () => {
      const metadata = this.#library.get_attribute_metadata(this.#id, path, name);
      const count = elementCount(metadata.shape ?? [0], this.name);
      if (count === 0) return [];
      if (metadata.type !== TEXT) throw malformed(this.name, `${what} is not text`);
      if (count * metadata.size > MAX_ATTRIBUTE_BYTES)
        throw malformed(this.name, `${what} claims ${count} strings`);
      return this.#readText(path, name, metadata, count);
    });
  }

  /** A dataset's shape and type, checked against the file's size. */
  dataset(path: string): Hdf5Dataset {
    const where = `${this.name}, ${path}`;
    const { metadata, filtered } = this.#ask(`dataset ${path}`, () => ({
      metadata: this.#library.get_dataset_metadata(this.#id, path),
      filtered: this.#library.get_dataset_filters(this.#id, path).length > 0,
    }));
    if (metadata.virtual_sources !== undefined) throw malformed(where, 'its data lies in other files');
    if (metadata.shape === null) throw malformed(where, 'it holds no data');
    const dtype = storedType(metadata, where);
    const shape = [...metadata.shape];
    const bytes = elementCount(shape, where) * bytesPerElement(dtype);
    // All together, too: a thousand datasets may be one and the same small piece of the file.
    const { size } = this.#source;
    if (filtered) this.#packedBytes += bytes;
    else this.#plainBytes += bytes;
    if (this.#plainBytes > size || this.#packedBytes > mostUnpacked(size)) {
      throw malformed(where, `it claims ${bytes} bytes in a file of ${size}`);
    }
    return { shape, dtype, read: () => this.#read(path, shape, dtype, metadata.chunks !== null) };
  }

  /** Frees the library's handles and its view of the file; the source stays open. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.close(this.#id);
  }

  #read(path: string, shape: readonly number[], dtype: StoredType, isChunked: boolean): Float32Array {
    const rows = shape[0] ?? 1;
    const width = bytesPerElement(dtype);
    const rowElements = shape.slice(1).reduce((product, extent) => product * extent, 1);
    const values = new Float32Array(rows * rowElements);
    if (values.length === 0) return values;
    const slabRows = Math.max(1, Math.floor(SLAB_BYTES / (rowElements * width)));
    for (let row = 0; row < rows; row += slabRows) {
      const count = Math.min(slabRows, rows - row);
      const read = () => this.#readSlab(path, shape, row, count, count * rowElements * width);
      // Chunks are found through an index, in which a damaged file can lead in a circle.
      const slab = isChunked ? this.limited(read) : read();
      values.set(toFloat32(slab, dtype), row * rowElements);
    }
    return values;
  }

  /** The raw bytes of `count` rows; valid until the library is called again. */
  #readSlab(path: string, shape: readonly number[], row: number, count: number, bytes: number): Uint8Array {
    const library = this.#library;
    return this.#ask(`dataset ${path}`, () => {
      const pointer = allocate(library, bytes);
      try {
        const scalar = shape.length === 0;
        const counts = scalar ? null : [BigInt(count), ...shape.slice(1).map(BigInt)];
        const offsets = scalar ? null : [BigInt(row), ...shape.slice(1).map(() => 0n)];
        const strides = scalar ? null : shape.map(() => 1n);
        const status = library.get_dataset_data(this.#id, path, counts, offsets, strides, BigInt(pointer));
        if (status < 0) throw malformed(this.name, `the data of ${path} cannot be read`);
        return library.HEAPU8.slice(pointer, pointer + bytes);
      } finally {
        library._free(pointer);
      }
    });
  }

  #readText(path: string, name: string, metadata: Metadata, count: number): string[] {
    const library = this.#library;
    const bytes = count * metadata.size;
    const pointer = allocate(library, bytes);
    try {
      if (library.get_attribute_data(this.#id, path, name, BigInt(pointer)) < 0) {
        throw malformed(this.name, `attribute ${name} of ${path} cannot be read`);
      }
      const raw = library.HEAPU8.slice(pointer, pointer + bytes);
      if (metadata.vlen) {
        const texts = Array.from(new Uint32Array(raw.buffer), (address) => textAt(library, address));
        library.reclaim_vlen_memory(this.#id, path, name, BigInt(pointer));
        return texts;
      }
      return Array.from({ length: count }, (_, i) =>
        decode(raw.subarray(i * metadata.size, (i + 1) * metadata.size)),
      );
    } finally {
      library._free(pointer);
    }
  }

  #ask<T>(what: string, work: () => T): T {
    if (!this.#open)
      throw new ConvbaseError('file/closed', 'the file is closed already', { where: this.name });
    return this.#file.call(`${this.name}, ${what}`, work);
  }
}

/** `a/b`, with `/` as the root. */
export function joinPath(group: string, name: string): string {
  return group === '/' || group === '' ? `/${name}` : `${group}/${name}`;
}

function storedType(metadata: Metadata, where: string): StoredType {
  const { type, size, signed } = metadata;
  if (type === FLOAT && size === 2) return 'float16';
  if (type === FLOAT && size === 4) return 'float32';
  if (type === FLOAT && size === 8) return 'float64';
  if (type === INTEGER && size === 1) return signed ? 'int8' : 'uint8';
  if (type === INTEGER && size === 2) return signed ? 'int16' : 'uint16';
  if (type === INTEGER && size === 4) return signed ? 'int32' : 'uint32';
  if (type === INTEGER && size === 8) return signed ? 'int64' : 'uint64';
  throw unsupported(where, 'it does not hold plain numbers', 'Save the weights as float32.');
}

/** Room in the library's memory, to be freed. @throws ConvbaseError `memory/exhausted` */
export function allocate(library: Hdf5Module, bytes: number): number {
  const pointer = library._malloc(bytes);
  if (pointer !== 0) return pointer;
  throw new ConvbaseError('memory/exhausted', `no ${bytes} bytes left for the HDF5 library`);
}

const decoder = new TextDecoder();

/** Text up to its first zero byte. */
function decode(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The zero-terminated text that starts at an address in the library's memory. */
function textAt(library: Hdf5Module, address: number): string {
  return address === 0 ? '' : decode(library.HEAPU8.subarray(address));
}
