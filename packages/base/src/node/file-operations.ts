import { constants, type Dirent, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ConvbaseError } from '../errors.ts';
import { withTidying } from './after-failure.ts';
import { fileError, systemCode } from './file-error.ts';

/** Something that is about to be done to a file or a folder. */
export interface FileOperation {
  readonly kind:
    'create' | 'write' | 'truncate' | 'sync' | 'rename' | 'link' | 'append' | 'remove' | 'folder' | 'touch';
  readonly path: string;
}

let watcher: ((operation: FileOperation) => void) | undefined;

/**
 * Shows every operation that changes a file or a folder to `watch` just before it is done; what `watch` throws is thrown
 * instead of doing it. So a test can stop a program, or fail a disk, at each of them in turn. Nothing watches by default.
 */
export function watchFileOperations(watch: ((operation: FileOperation) => void) | undefined): void {
  watcher = watch;
}

/** All that changes files goes through here: it is told to who watches, and its errors name the file. */
async function change<T>(
  kind: FileOperation['kind'],
  path: string,
  doing: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    watcher?.({ kind, path });
    return await work();
  } catch (error) {
    throw fileError(error, path, doing);
  }
}

/** What is read; its errors name the file. */
async function look<T>(path: string, doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, path, doing);
  }
}

/** Windows has no such flag. */
const NOFOLLOW = (constants as { readonly O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0;

/** How a file is opened to be written. */
const openFlags = {
  /** It must not be there yet. */
  new: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  /** It must be there; its bytes stay. */
  existing: constants.O_RDWR | NOFOLLOW,
  /** Its bytes stay where it is there, and what is written comes behind them. */
  append: constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | NOFOLLOW,
} as const;

/** A file that is open to be written. A symbolic link is not opened. Errors: those of `fileError`. */
export class WritableFile {
  readonly path: string;
  readonly #where: string;
  readonly #handle: fs.FileHandle;

  private constructor(path: string, where: string, handle: fs.FileHandle) {
    this.path = path;
    this.#where = where;
    this.#handle = handle;
  }

  /** @param where what errors call it: the name that it will have */
  static async open(path: string, how: keyof typeof openFlags, where = path): Promise<WritableFile> {
    return change('create', where, 'cannot write it', async () => {
      return new WritableFile(path, where, await fs.open(path, openFlags[how]));
    });
  }

  /** Writes all of `bytes`; at the end where no position is given. */
  async write(bytes: Uint8Array, position: number | null = null): Promise<void> {
    await change('write', this.#where, 'cannot write it', async () => {
      for (let done = 0; done < bytes.byteLength;) {
        const at = position === null ? null : position + done;
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.byteLength - done, at);
        if (bytesWritten === 0) throw new Error('the system takes no more bytes');
        done += bytesWritten;
      }
    });
  }

  /** Reads up to `length` bytes from `position`; fewer at the end of the file. */
  async read(position: number, length: number): Promise<Uint8Array> {
    return look(this.#where, 'cannot read it', async () => {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await this.#handle.read(bytes, done, length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    });
  }

  /** How many bytes it has. */
  async size(): Promise<number> {
    return look(this.#where, 'cannot look at it', async () => (await this.#handle.stat()).size);
  }

  /** Whether its name still leads to it: it, or a folder that it lies in, may have been removed or moved away. */
  async isInPlace(): Promise<boolean> {
    const mine = await look(this.#where, 'cannot look at it', () => this.#handle.stat());
    const named = await linkStatusOf(this.path);
    return named?.ino === mine.ino && named.dev === mine.dev;
  }

  async truncate(size: number): Promise<void> {
    await change('truncate', this.#where, 'cannot write it', () => this.#handle.truncate(size));
  }

  /** Waits until all of it is on the disk and would survive a power cut. */
  async sync(): Promise<void> {
    await change('sync', this.#where, 'cannot write it', () => this.#handle.sync());
  }

  async close(): Promise<void> {
    await look(this.#where, 'cannot write it', () => this.#handle.close());
  }
}

/** Gives a file or folder another name, replacing a file of that name. */
export async function rename(from: string, to: string): Promise<void> {
  await change('rename', to, 'cannot give it its name', () => fs.rename(from, to));
}

/** Gives a file a second name. Errors: `file/exists` where there is something of that name. */
export async function link(from: string, to: string): Promise<void> {
  await change('link', to, 'cannot write it', () => fs.link(from, to));
}

/** Marks a file or folder as changed now. */
export async function touch(path: string): Promise<void> {
  await change('touch', path, 'cannot mark it as used', () => fs.utimes(path, new Date(), new Date()));
}

/** Removes a file; it need not be there. */
export async function removeFile(path: string): Promise<void> {
  await change('remove', path, 'cannot remove it', () => fs.unlink(path).catch(unlessMissing));
}

/** Removes a folder where nothing is in it, and says whether it did. */
export async function removeEmptyFolder(path: string): Promise<boolean> {
  if (!(await isFolder(path))) return false;
  return change('remove', path, 'cannot remove it', async () => {
    try {
      await fs.rmdir(path);
      return true;
    } catch (error) {
      // Nobody can remove `.`, nor what a disk is mounted on.
      if (/^(ENOTEMPTY|EEXIST|ENOENT|ENOTDIR|EINVAL|EBUSY)$/.test(systemCode(error) ?? '')) return false;
      throw error;
    }
  });
}

/** Removes whatever has that name, of a folder all that is in it; a link, not what it leads to. It need not be there. */
export async function remove(path: string): Promise<void> {
  if ((await linkStatusOf(path))?.isDirectory() !== true) return removeFile(path);
  for (const name of await listIfThere(path)) await remove(join(path, name));
  await removeEmptyFolder(path);
}

/** A folder and those it lies in, as far as they are missing, the innermost first. Errors: `file/kind`, .. */
export async function missingFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let folder = absolute(path); ; folder = dirname(folder)) {
    const status = await statusOf(folder);
    if (status?.isDirectory() === true) return missing;
    if (status !== undefined || folder === dirname(folder)) {
      throw new ConvbaseError('file/kind', 'it is not a folder', { where: folder, fix: 'Check the path.' });
    }
    missing.push(folder);
  }
}

/**
 * Makes a folder and those it lies in, as far as they are missing. One after the other, from the first one that is
 * there: what the system says of each is final. (Node's own recursive `mkdir` never ends below /proc, and calls a full or
 * read-only disk a missing folder: https://github.com/nodejs/node/issues/42808.)
 */
export async function makeFolder(path: string): Promise<void> {
  for (const folder of (await missingFolders(path)).reverse()) {
    await change('folder', folder, 'cannot make this folder', async () => {
      try {
        await fs.mkdir(folder);
      } catch (error) {
        const code = systemCode(error);
        // Another process was faster.
        if (code === 'EEXIST' && (await isFolder(folder))) return;
        const what = {
          EEXIST: 'it is a link that leads nowhere',
          ENOENT: 'the system lets nobody make a folder here',
        }[code ?? ''];
        if (what === undefined) throw error;
        throw new ConvbaseError('file/kind', what, {
          where: folder,
          fix: 'Choose another folder.',
          cause: error,
        });
      }
    });
  }
}

/**
 * Makes a folder whose name begins with `start` and that is nobody else's, and returns its path.
 *
 * @param where what errors call it
 */
export async function makeOwnFolder(start: string, where = start): Promise<string> {
  return change('folder', where, 'cannot write it', () => fs.mkdtemp(start));
}

/** The absolute path. Errors: `file/missing` where the folder that the program was started in is gone */
export function absolute(path: string): string {
  try {
    return resolve(path);
  } catch (error) {
    throw fileError(error, path, 'cannot look at it');
  }
}

/** A rename is safe from a power cut only once its folder is flushed too; Windows has no such call and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await change('sync', folder, 'cannot write it', async () => {
    const handle = await fs.open(folder, 'r');
    await withTidying(
      () => handle.sync(),
      () => handle.close(),
    );
  });
}

/** What the system says of a file or folder; undefined where there is none. Links are followed. */
export async function statusOf(path: string): Promise<Stats | undefined> {
  return look(path, 'cannot look at it', () => fs.stat(path).catch(unlessMissing));
}

/** The same of a link itself, where it is one. */
export async function linkStatusOf(path: string): Promise<Stats | undefined> {
  return look(path, 'cannot look at it', () => fs.lstat(path).catch(unlessMissing));
}

/** How many bytes a file has. Errors: `file/missing` where there is none .. */
export async function fileSize(path: string): Promise<number> {
  return (await look(path, 'cannot look at it', () => fs.stat(path))).size;
}

/** How many bytes may still be written in a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await look(folder, 'cannot look at its disk', () => fs.statfs(folder));
  return bavail * bsize;
}

/** Whether there is a file or folder of that name. */
export async function exists(path: string): Promise<boolean> {
  return (await statusOf(path)) !== undefined;
}

/** Whether there is a file (not a folder) of that name. */
export async function isFile(path: string): Promise<boolean> {
  return (await statusOf(path))?.isFile() ?? false;
}

/** Whether there is a folder of that name. */
export async function isFolder(path: string): Promise<boolean> {
  return (await statusOf(path))?.isDirectory() ?? false;
}

/** The names in a folder, sorted by code unit. Errors: `file/missing`, `file/kind` for what is no folder .. */
export async function listFolder(path: string): Promise<string[]> {
  return (await look(path, 'cannot list it', () => fs.readdir(path))).sort();
}

/** The same; none where there is no such folder. */
export async function listIfThere(path: string): Promise<string[]> {
  return (await look(path, 'cannot list it', () => fs.readdir(path).catch(unlessMissing)))?.sort() ?? [];
}

/** The entries of a folder with their kinds, in the system's order. */
export async function listEntries(path: string): Promise<Dirent[]> {
  return look(path, 'cannot list it', () => fs.readdir(path, { withFileTypes: true }));
}

function unlessMissing(error: unknown): undefined {
  if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
  throw error;
}
