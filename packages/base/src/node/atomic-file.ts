import { dirname } from 'node:path';
import { ConvbaseError } from '../errors.ts';
import {
  linkStatusOf,
  makeFolder,
  remove,
  removeFile,
  rename,
  statusOf,
  syncFolder,
  WritableFile,
} from './file-operations.ts';
import { afterFailure } from './after-failure.ts';
import { withNewFolders } from './new-folders.ts';
import { giveSecondName } from './second-name.ts';
import { removeLeftovers, temporaryPath } from './temporary.ts';

export interface AtomicFileOptions {
  /**
   * Keep the unfinished file (always at `<path>.partial`) when writing stops or fails, and go on with it when the
   * file is opened again. Who opens it must see to it that nobody else does (`takeLock`). Without it the unfinished
   * file has a name of its own and does not outlive a failure; what a killed process left of one goes when the next one
   * writes the same path.
   */
  readonly resumable?: boolean;
}

export interface WriteOptions {
  /** Whether what stands under the name is replaced; default true. Else `file/exists` is thrown, also where it appears meanwhile. */
  readonly overwrite?: boolean;
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
  #file: WritableFile | undefined;
  #size: number;

  private constructor(path: string, resumable: boolean, file: WritableFile, size: number) {
    this.path = path;
    this.partialPath = file.path;
    this.#resumable = resumable;
    this.#file = file;
    this.#size = size;
  }

  /** Creates missing folders and opens the unfinished file; a resumable one may already hold `size` bytes. */
  static async open(path: string, options: AtomicFileOptions = {}): Promise<AtomicFile> {
    const resumable = options.resumable ?? false;
    // Names that the system does not take, and folders in the way, are told before there is anything to lose.
    const status = await statusOf(path);
    if (status !== undefined && !status.isFile()) {
      const kind = status.isDirectory() ? 'a folder' : 'a pipe or a device';
      throw new ConvbaseError('file/kind', `cannot write it: ${kind} of that name is in the way`, {
        where: path,
        fix: 'Move it or choose another name.',
      });
    }
    await makeFolder(dirname(path));
    if (resumable) {
      const { file, size } = await openPartial(`${path}.partial`, path);
      return new AtomicFile(path, true, file, size);
    }
    await removeLeftovers(path);
    return new AtomicFile(path, false, await WritableFile.open(temporaryPath(path), 'new', path), 0);
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
    await this.#attempt(async (file) => {
      await file.write(chunk, position);
      this.#size = Math.max(this.#size, position + chunk.byteLength);
    });
  }

  /** Reads back up to `length` bytes from `position`; fewer at the end of the file. */
  async readAt(position: number, length: number): Promise<Uint8Array> {
    return this.#attempt((file) => file.read(position, length));
  }

  /** Shortens the unfinished file to `size` bytes. */
  async truncate(size: number): Promise<void> {
    await this.#attempt(async (file) => {
      await file.truncate(size);
      this.#size = size;
    });
  }

  /**
   * Waits until everything written is on the disk and would survive a power cut. Throws `file/moved` where it could not
   * get its name any more.
   */
  async sync(): Promise<void> {
    await this.#attempt(async (file) => {
      await file.sync();
      if (await file.isInPlace()) return;
      throw new ConvbaseError('file/moved', 'it was moved or removed while it was being written', {
        where: this.partialPath,
        fix: 'Run again, and leave its folder where it is until the end.',
      });
    });
  }

  /**
   * Flushes, closes and gives the file its name, replacing what stood there.
   *
   * @param overwrite whether something that stands there is replaced; else `file/exists` is thrown
   */
  async commit({ overwrite = true }: WriteOptions = {}): Promise<void> {
    await this.#attempt(async (file) => {
      await file.sync();
      await this.#close();
      if (!overwrite && (await this.#claimName())) await removeFile(this.partialPath);
      else await rename(this.partialPath, this.path);
      await syncFolder(dirname(this.path));
    });
  }

  /** Gives the file its name as a second one. False where that cannot be: there the look before has to do. */
  async #claimName(): Promise<boolean> {
    await refuseExisting(this.path);
    const name = await giveSecondName(this.partialPath, this.path);
    if (name === 'taken') throw existing(this.path);
    return name === 'given';
  }

  /** Gives up: closes and removes the unfinished file. Does nothing after `commit` or a failure. */
  async abort(): Promise<void> {
    if (this.#file === undefined) return;
    await this.#close();
    await removeFile(this.partialPath);
  }

  /** Closes the file but leaves the unfinished part of a resumable one for the next `open`. */
  async pause(): Promise<void> {
    if (!this.#resumable) return this.abort();
    await this.#close();
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #attempt<T>(action: (file: WritableFile) => Promise<T>): Promise<T> {
    if (this.#file === undefined) {
      throw new ConvbaseError('file/closed', 'writing to a file that is already closed', {
        where: this.path,
      });
    }
    try {
      return await action(this.#file);
    } catch (error) {
      await afterFailure(async () => {
        await this.#close();
        if (!this.#resumable) await removeFile(this.partialPath);
      });
      throw error;
    }
  }
}

/**
 * Writes a whole file so that it is either complete or not there. Missing folders are created, and go again where it
 * cannot be written.
 *
 * @param data all of it, or piece by piece; an error thrown between two pieces leaves no trace of the file
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string | AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<void> {
  await withNewFolders(dirname(path), async () => {
    const file = await AtomicFile.open(path);
    try {
      if (typeof data === 'string') await file.append(new TextEncoder().encode(data));
      else if (data instanceof Uint8Array) await file.append(data);
      else for await (const piece of data) await file.append(piece);
    } catch (error) {
      await afterFailure(() => file.abort());
      throw error;
    }
    await file.commit(options);
  });
}

/** Refuses a name under which there is something already. @throws ConvbaseError `file/exists` */
export async function refuseExisting(path: string): Promise<void> {
  if ((await linkStatusOf(path)) !== undefined) throw existing(path);
}

function existing(path: string): ConvbaseError {
  return new ConvbaseError('file/exists', 'there is a file of that name already', {
    where: path,
    fix: 'Choose another name, or have it overwritten (--force).',
  });
}

/** Opens what an earlier process left unfinished. What only leads elsewhere, a link of any kind, is removed. */
async function openPartial(
  path: string,
  where: string,
): Promise<{ readonly file: WritableFile; readonly size: number }> {
  const there = await linkStatusOf(path);
  if (there !== undefined && (!there.isFile() || there.nlink > 1)) await remove(path);
  else if (there !== undefined)
    return { file: await WritableFile.open(path, 'existing', where), size: there.size };
  return { file: await WritableFile.open(path, 'new', where), size: 0 };
}
