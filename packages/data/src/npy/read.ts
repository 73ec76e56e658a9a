import type { FileHandle } from 'node:fs/promises';
import { ConvbaseError } from '@convbase/base';
import { afterFailure, fileError, openPlainFile, withTidying } from '@convbase/base/node';
import {
  asElements,
  bytesPerElement,
  elementCount,
  MAX_HEADER_BYTES,
  type NpyArray,
  type NpyData,
  type NpyHeader,
  parseNpyHeader,
} from './format.ts';

/**
 * Reads a whole `.npy` file (float32, uint8, int32 or int64, row-major).
 *
 * Errors: `npy/damaged` (not such a file, or its length is not what its header says), `npy/unsupported`, `file/...`.
 */
export async function readNpy(path: string): Promise<NpyArray> {
  const file = await NpyFile.open(path);
  const { dtype, shape } = file;
  return withTidying(
    async () => ({ dtype, shape, data: await file.readElements(0, elementCount(shape)) }),
    () => file.close(),
  );
}

/** A `.npy` file of which only the rows asked for are read, for arrays larger than memory. */
export class NpyFile {
  readonly path: string;
  readonly dtype: NpyHeader['dtype'];
  readonly shape: readonly number[];
  readonly #dataOffset: number;
  readonly #handle: FileHandle;

  private constructor(path: string, header: NpyHeader, handle: FileHandle) {
    this.path = path;
    this.dtype = header.dtype;
    this.shape = header.shape;
    this.#dataOffset = header.dataOffset;
    this.#handle = handle;
  }

  static async open(path: string): Promise<NpyFile> {
    const { handle, size } = await openPlainFile(path);
    try {
      const start = await readExactly(handle, path, 0, Math.min(size, MAX_HEADER_BYTES + 12));
      const header = parseNpyHeader(start, path);
      const expected = header.dataOffset + elementCount(header.shape) * bytesPerElement(header.dtype);
      if (size !== expected) {
        throw new ConvbaseError('npy/damaged', `${size} bytes long, but its header speaks of ${expected}`, {
          where: path,
          fix: 'The file was cut off or altered: make it again.',
        });
      }
      return new NpyFile(path, header, handle);
    } catch (error) {
      await afterFailure(() => handle.close());
      throw fileError(error, path, 'cannot read it');
    }
  }

  /** How many rows (entries along the first axis) there are. */
  get rowCount(): number {
    return this.shape[0] ?? 1;
  }

  /** Reads rows `first .. first + count - 1`, one after the other. */
  async readRows(first: number, count: number): Promise<NpyData> {
    const perRow = elementCount(this.shape.slice(1));
    if (first < 0 || count < 0 || first + count > this.rowCount) {
      throw new RangeError(`rows ${first} to ${first + count - 1} of ${this.rowCount} in ${this.path}`);
    }
    return this.readElements(first * perRow, count * perRow);
  }

  /** Reads `count` elements from the flat position `first`. */
  async readElements(first: number, count: number): Promise<NpyData> {
    const width = bytesPerElement(this.dtype);
    const bytes = await readExactly(this.#handle, this.path, this.#dataOffset + first * width, count * width);
    return asElements(this.dtype, bytes);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function readExactly(
  handle: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    // Node reads at most 2 GiB at once.
    const wanted = Math.min(length - done, 2 ** 30);
    const { bytesRead } = await handle.read(bytes, done, wanted, position + done);
    if (bytesRead === 0)
      throw new ConvbaseError('npy/damaged', 'the file ended while it was read', { where: path });
    done += bytesRead;
  }
  return bytes;
}
