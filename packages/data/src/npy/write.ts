import { ConvbaseError } from '@convbase/base';
import { afterFailure, AtomicFile } from '@convbase/base/node';
import {
  asElements,
  bytesPerElement,
  dtypeOf,
  elementCount,
  encodeNpyHeader,
  MAX_HEADER_BYTES,
  type NpyData,
  type NpyDtype,
  type NpyHeader,
  parseNpyHeader,
} from './format.ts';

/**
 * Writes a whole array as `.npy` (version 1.0); the file is complete or not there.
 *
 * Errors: RangeError if `data` does not have as many elements as `shape`; `disk/full`, `file/...`.
 */
export async function writeNpy(path: string, data: NpyData, shape: readonly number[]): Promise<void> {
  if (elementCount(shape) !== data.length) {
    throw new RangeError(`${data.length} elements do not fill the shape (${shape.join(', ')})`);
  }
  const file = await AtomicFile.open(path);
  await file.append(encodeNpyHeader(dtypeOf(data), shape));
  await file.append(asBytes(data));
  await file.commit();
}

/** The header's room: enough for any number of rows, so that it can be rewritten in place. */
const HEADER_ROOM = 256;

/**
 * Writes a `.npy` file row by row, and goes on with it after an interruption.
 *
 * Until `commit` the rows are in `<path>.partial`. `flush` makes the rows so far safe: first the data are put on the
 * disk, then the header is made to count them. After a crash, Ctrl-C or a full disk, opening the same path again
 * drops what was not flushed and continues at `rowCount`.
 */
export class NpyWriter {
  readonly #file: AtomicFile;
  readonly #dtype: NpyDtype;
  readonly #rowShape: readonly number[];
  #rowCount: number;

  private constructor(file: AtomicFile, dtype: NpyDtype, rowShape: readonly number[], rowCount: number) {
    this.#file = file;
    this.#dtype = dtype;
    this.#rowShape = rowShape;
    this.#rowCount = rowCount;
  }

  /**
   * Starts a file, or goes on with the unfinished one.
   *
   * @param rowShape the shape without its first axis
   *
   * Errors: `npy/mismatch` when the unfinished file holds another kind of rows.
   */
  static async open(path: string, dtype: NpyDtype, rowShape: readonly number[]): Promise<NpyWriter> {
    const file = await AtomicFile.open(path, { resumable: true });
    const writer = new NpyWriter(file, dtype, rowShape, 0);
    try {
      const header = file.size < HEADER_ROOM ? undefined : await readPartialHeader(file);
      if (header === undefined) {
        await file.truncate(0);
        await file.append(writer.#header());
        return writer;
      }
      const found = [header.dtype, ...header.shape.slice(1)].join(' ');
      const wanted = [dtype, ...rowShape].join(' ');
      if (found !== wanted) throw mismatch(file, `its rows are ${found}, not ${wanted}`);
      const rows = header.shape[0] ?? 0;
      const size = HEADER_ROOM + rows * writer.#rowBytes;
      if (header.dataOffset !== HEADER_ROOM || file.size < size) throw mismatch(file, 'it is damaged');
      await file.truncate(size);
      writer.#rowCount = rows;
      return writer;
    } catch (error) {
      await afterFailure(() => file.pause());
      throw error;
    }
  }

  /** Rows written so far, those of earlier runs included. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** The last row written, those of earlier runs included. */
  async lastRow(): Promise<NpyData> {
    if (this.#rowCount === 0) throw new RangeError('there are no rows yet');
    const position = HEADER_ROOM + (this.#rowCount - 1) * this.#rowBytes;
    return asElements(this.#dtype, await this.#file.readAt(position, this.#rowBytes));
  }

  /** Adds one or more rows. */
  async append(rows: NpyData): Promise<void> {
    const perRow = elementCount(this.#rowShape);
    if (dtypeOf(rows) !== this.#dtype || rows.length % perRow !== 0) {
      throw new RangeError(`${rows.length} ${dtypeOf(rows)} are not rows of ${perRow} ${this.#dtype}`);
    }
    await this.#file.append(asBytes(rows));
    this.#rowCount += rows.length / perRow;
  }

  /** Reads back rows `first .. first + count - 1`, those of earlier runs included. */
  async readRows(first: number, count: number): Promise<NpyData> {
    if (first < 0 || count < 0 || first + count > this.#rowCount) {
      throw new RangeError(
        `rows ${first} to ${first + count - 1} of ${this.#rowCount} in ${this.#file.partialPath}`,
      );
    }
    const bytes = await this.#file.readAt(HEADER_ROOM + first * this.#rowBytes, count * this.#rowBytes);
    return asElements(this.#dtype, bytes);
  }

  /** Goes back to the first `rowCount` rows, as when a companion file holds fewer. */
  async truncate(rowCount: number): Promise<void> {
    if (rowCount > this.#rowCount) throw new RangeError(`only ${this.#rowCount} rows, not ${rowCount}`);
    this.#rowCount = rowCount;
    await this.#file.writeAt(this.#header(), 0);
    await this.#file.truncate(HEADER_ROOM + rowCount * this.#rowBytes);
  }

  /** Makes the rows so far survive whatever happens next. */
  async flush(): Promise<void> {
    await this.#file.sync();
    await this.#file.writeAt(this.#header(), 0);
    await this.#file.sync();
  }

  /** Finishes: the file gets its name. */
  async commit(): Promise<void> {
    await this.flush();
    await this.#file.commit();
  }

  /** Stops for now; flushed rows stay for the next `open`. */
  async pause(): Promise<void> {
    await this.#file.pause();
  }

  /** Gives up and removes the unfinished file. */
  async abort(): Promise<void> {
    await this.#file.abort();
  }

  get #rowBytes(): number {
    return elementCount(this.#rowShape) * bytesPerElement(this.#dtype);
  }

  #header(): Uint8Array {
    return encodeNpyHeader(this.#dtype, [this.#rowCount, ...this.#rowShape], HEADER_ROOM);
  }
}

async function readPartialHeader(file: AtomicFile): Promise<NpyHeader> {
  return parseNpyHeader(await file.readAt(0, Math.min(file.size, MAX_HEADER_BYTES)), file.partialPath);
}

function mismatch(file: AtomicFile, what: string): ConvbaseError {
  return new ConvbaseError('npy/mismatch', `an unfinished file is there, but ${what}`, {
    where: file.partialPath,
    fix: 'Remove it to start anew, or choose another name.',
  });
}

function asBytes(data: NpyData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
