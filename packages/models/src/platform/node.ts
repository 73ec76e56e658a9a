import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { fileError, READ_FLAGS } from '@convbase/base/node';
import { checkRange, pieces } from '../formats/source.ts';
import type { ByteSource } from '../formats/source.ts';

/** A file on disk, read range by range. */
class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #descriptor: number;
  #open = true;

  constructor(path: string) {
    this.name = path;
    this.#descriptor = fs.openSync(path, READ_FLAGS);
    const stat = fs.fstatSync(this.#descriptor);
    this.size = stat.size;
    if (!stat.isFile()) {
      this.close();
      const what = stat.isDirectory() ? 'a folder where a file is needed' : 'a pipe or a device, no file';
      throw new ConvbaseError('file/kind', what, { where: path, fix: 'Check the path.' });
    }
  }

  bytes(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    const bytes = new Uint8Array(length);
    this.readInto(bytes, offset);
    return bytes;
  }

  readInto(target: Uint8Array, offset: number): void {
    if (!this.#open)
      throw new ConvbaseError('file/closed', 'the file is closed already', { where: this.name });
    checkRange(this, offset, target.byteLength);
    let done = 0;
    while (done < target.byteLength) {
      const count = this.#read(target, done, offset + done);
      if (count === 0) {
        throw new ConvbaseError('file/truncated', `it ended at byte ${offset + done} while being read`, {
          where: this.name,
        });
      }
      done += count;
    }
  }

  #read(target: Uint8Array, done: number, position: number): number {
    try {
      return fs.readSync(this.#descriptor, target, done, target.byteLength - done, position);
    } catch (error) {
      throw fileError(error, this.name, 'cannot read it');
    }
  }

  close(): void {
    if (this.#open) fs.closeSync(this.#descriptor);
    this.#open = false;
  }
}

/** Opens a file for reading. @throws ConvbaseError `file/missing`, `file/denied` or another of `fileError`'s */
export function openSource(path: string): Promise<ByteSource> {
  return new Promise((resolve, reject) => {
    try {
      resolve(new FileSource(path));
    } catch (error) {
      reject(fileError(error, path, 'cannot open it'));
    }
  });
}

/** The path of a file that lies beside another (or below its folder). */
export function fileBeside(path: string, relative: string): string {
  return join(dirname(path), relative);
}

/** The path of a file in a folder. */
export function fileInFolder(folder: string, name: string): string {
  return join(folder, name);
}

/**
 * SHA-256 in hex of the sources' bytes, one after the other. After each piece the program may do something else, such as
 * heed a signal: half a gigabyte takes a second and more.
 */
export async function sha256(sources: readonly ByteSource[]): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const piece of pieces(source)) {
      hash.update(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return hash.digest('hex');
}
export { isFolder } from '@convbase/base/node';
export {
  checkSaveLock,
  listFiles,
  otherTexts,
  refuseExisting,
  removeBeside,
  saveFile,
  shippedGolden,
  withSaveLock,
} from './node/files.ts';
export {
  downloadFile,
  isFile,
  md5,
  npmPackage,
  tidyWeights,
  weightFolders,
  weightsMirror,
} from './node/fetch.ts';
export { withTimeLimit } from './node/time-limit.ts';
