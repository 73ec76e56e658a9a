import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConvbaseError } from '../errors.ts';
import { fileError } from './file-error.ts';

export interface AtomicFileOptions {
  /**
   * Keep the unfinished file (always at `<path>.partial`) when writing stops or fails, and go on with it when the
   * file is opened again. Without it the unfinished file has a random name and never outlives a failure.
   */
  readonly resumable?: boolean;
}

/**
 * A file that appears under its name only when it is complete: chunks go to a file beside it, `commit` flushes that
 * to the disk and renames it. Until then whatever stood under the name stays there untouched.
 *
 * Every failure is a ConvbaseError that names the file (`disk/full`, `file/denied` ..); after one the file is closed
 * and, unless it is resumable, the unfinished part removed.
 */
export class AtomicFile {
  /** The name the file will have. */
  readonly path: string;
  /** Where the bytes are until then. */
  readonly partialPath: string;
  readonly #resumable: boolean;
  #handle: FileHandle | undefined;
  #size: number;

  private constructor(
    path: string,
    partialPath: string,
    resumable: boolean,
    handle: FileHandle,
    size: number,
  ) {
    this.path = path;
    this.partialPath = partialPath;
    this.#resumable = resumable;
    this.#handle = handle;
    this.#size = size;
  }

  /** Creates missing folders and opens the unfinished file; a resumable one may already hold `size` bytes. */
  static async open(path: string, options: AtomicFileOptions = {}): Promise<AtomicFile> {
    const resumable = options.resumable ?? false;
    const partialPath = resumable ? `${path}.partial` : `${path}.${randomBytes(6).toString('hex')}.partial`;
    try {
      await mkdir(dirname(path), { recursive: true });
      const handle = await openPartial(partialPath, resumable);
      const { size } = await handle.stat();
      return new AtomicFile(path, partialPath, resumable, handle, size);
    } catch (error) {
      throw fileError(error, path, 'cannot write it');
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds bytes at the end. Returns once the system has taken them; reuse of `chunk` is then safe. */
  async append(chunk: Uint8Array): Promise<void> {
    await this.writeAt(chunk, this.#size);
  }

  /** Writes at a place of your choice, such as a header whose content is known only at the end. */
  async writeAt(chunk: Uint8Array, position: number): Promise<void> {
    await this.#attempt(async (handle) => {
      let done = 0;
      while (done < chunk.byteLength) {
        const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, position + done);
        done += bytesWritten;
      }
      this.#size = Math.max(this.#size, position + chunk.byteLength);
    });
  }

  /** Reads back up to `length` bytes from `position`; fewer at the end of the file. */
  async readAt(position: number, length: number): Promise<Uint8Array> {
    return this.#attempt(async (handle) => {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    });
  }

  /** Shortens the unfinished file to `size` bytes. */
  async truncate(size: number): Promise<void> {
    await this.#attempt(async (handle) => {
      await handle.truncate(size);
      this.#size = size;
    });
  }

  /** Waits until everything written is on the disk and would survive a power cut. */
  async sync(): Promise<void> {
    await this.#attempt((handle) => handle.sync());
  }

  /** Flushes, closes and gives the file its name, replacing what stood there. */
  async commit(): Promise<void> {
    await this.#attempt(async (handle) => {
      await handle.sync();
      await this.#close();
      await rename(this.partialPath, this.path);
      await syncFolder(dirname(this.path));
    });
  }

  /** Gives up: closes and removes the unfinished file. Does nothing after `commit` or a failure. */
  async abort(): Promise<void> {
    if (this.#handle === undefined) return;
    await this.#close();
    await rm(this.partialPath, { force: true });
  }

  /** Closes the file but leaves the unfinished part of a resumable one for the next `open`. */
  async pause(): Promise<void> {
    if (!this.#resumable) return this.abort();
    await this.#close();
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #attempt<T>(action: (handle: FileHandle) => Promise<T>): Promise<T> {
    if (this.#handle === undefined) {
      throw new ConvbaseError('file/closed', 'writing to a file that is already closed', {
        where: this.path,
      });
    }
    try {
      return await action(this.#handle);
    } catch (error) {
      await this.#close();
      if (!this.#resumable) await rm(this.partialPath, { force: true });
      throw fileError(error, this.path, 'cannot write it');
    }
  }
}

/**
 * Writes a whole file so that it is either complete or not there. Missing folders are created.
 *
 * @param data all of it, or piece by piece; an error thrown between two pieces leaves no trace of the file
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await AtomicFile.open(path);
  try {
    if (typeof data === 'string') await file.append(new TextEncoder().encode(data));
    else if (data instanceof Uint8Array) await file.append(data);
    else for await (const piece of data) await file.append(piece);
  } catch (error) {
    await file.abort();
    throw error;
  }
  await file.commit();
}

async function openPartial(path: string, resumable: boolean): Promise<FileHandle> {
  if (!resumable) return open(path, 'wx+');
  const exists = await stat(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    },
  );
  return open(path, exists ? 'r+' : 'wx+');
}

/** A rename is safe from a power cut only once its folder is flushed too; Windows has no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
