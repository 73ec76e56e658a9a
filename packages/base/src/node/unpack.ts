import { createReadStream } from 'node:fs';
import { dirname } from 'node:path';
import { Parser, type ReadEntry } from 'tar';
import { ConvbaseError } from '../errors.ts';
import { systemCode } from './file-error.ts';
import { exists, makeFolder } from './file-operations.ts';
import { pathInside } from './path-inside.ts';
import { withWritableFile } from './with-file.ts';

/** What may come out of an archive: more than any package holds, and less than harms. */
export interface UnpackLimits {
  /** Of all files together. */
  readonly bytes: number;
  readonly fileBytes: number;
  /** Files and folders. */
  readonly entries: number;
  /** The length of a path, which is one of the longest that systems take. */
  readonly pathLength: number;
}

const defaults: UnpackLimits = {
  bytes: 4 * 2 ** 30,
  fileBytes: 2 * 2 ** 30,
  entries: 100_000,
  pathLength: 1024,
};

/**
 * Unpacks a package's tarball into a folder that is made, without the first part of each path. Only plain files and
 * folders: npm never packs links, so one in a tarball is a sign of mischief, and so are two entries of one name.
 *
 * @param where what the package is called
 * @throws ConvbaseError `package/damaged`, `package/too-large`, `file/unsafe-path`, `file/..`, `disk/full`
 */
export async function unpack(
  tarball: string,
  target: string,
  where: string,
  limits: UnpackLimits = defaults,
): Promise<void> {
  await makeFolder(target);
  const writer = new EntryWriter(target, where, limits);
  try {
    await parse(tarball, (entry) => writer.write(entry));
  } catch (error) {
    if (!/^(TAR|Z|ERR_BUFFER)_/.test(systemCode(error) ?? '')) throw error;
    throw new ConvbaseError('package/damaged', 'its tarball cannot be unpacked', { where, cause: error });
  }
  if (!(await exists(pathInside(target, 'package.json')))) {
    throw new ConvbaseError('package/damaged', 'there is no package.json in its tarball', { where });
  }
}

/** Hands on the entries of a tarball one after the other; what is thrown for one ends it. */
async function parse(tarball: string, take: (entry: ReadEntry) => Promise<void>): Promise<void> {
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  // Nobody may be waiting for it when it comes.
  failed.catch(() => undefined);
  let taken = Promise.resolve();
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      taken = taken.then(() => take(entry));
      taken.catch(fail);
    },
  });
  parser.on('error', fail);
  const ended = new Promise((resolve) => parser.on('end', resolve));
  for await (const chunk of createReadStream(tarball) as AsyncIterable<Buffer>) {
    const drained = new Promise((resolve) => parser.on('drain', resolve));
    if (!parser.write(chunk)) await Promise.race([drained, failed]);
  }
  parser.end();
  await Promise.race([ended, failed]);
  await taken;
}

class EntryWriter {
  readonly #target: string;
  readonly #where: string;
  readonly #limits: UnpackLimits;
  #entries = 0;
  #bytes = 0;

  constructor(target: string, where: string, limits: UnpackLimits) {
    this.#target = target;
    this.#where = where;
    this.#limits = limits;
  }

  async write(entry: ReadEntry): Promise<void> {
    const { entries, pathLength } = this.#limits;
    this.#entries += 1;
    if (this.#entries > entries) throw this.#tooLarge(`it holds more than ${entries} files`);
    if (entry.path.length > pathLength) throw this.#tooLarge('a path in it is too long');
    pathInside(this.#target, entry.path);
    const isFolder = entry.type === 'Directory';
    if (!isFolder && entry.type !== 'File' && entry.type !== 'OldFile') {
      throw this.#damaged(`${entry.path} is a ${entry.type}, not a file`);
    }
    const name = entry.path.split('/').slice(1).join('/');
    if (name === '') {
      entry.resume();
      return;
    }
    try {
      await (isFolder ? this.#writeFolder(entry, name) : this.#writeFile(entry, name));
    } catch (error) {
      const isTwice = error instanceof ConvbaseError && ['file/exists', 'file/kind'].includes(error.code);
      throw isTwice ? this.#damaged(`${entry.path} is in it twice`, error) : error;
    }
  }

  async #writeFolder(entry: ReadEntry, name: string): Promise<void> {
    await makeFolder(pathInside(this.#target, name));
    entry.resume();
  }

  async #writeFile(entry: ReadEntry, name: string): Promise<void> {
    const { bytes, fileBytes } = this.#limits;
    if (entry.size > fileBytes) throw this.#tooLarge(`${entry.path} has ${entry.size} bytes`);
    this.#bytes += entry.size;
    if (this.#bytes > bytes) throw this.#tooLarge(`its files have more than ${bytes} bytes`);
    const path = pathInside(this.#target, name);
    await makeFolder(dirname(path));
    await withWritableFile(path, 'new', async (file) => {
      // The parser hands out no more of an entry than its size.
      for await (const chunk of entry as AsyncIterable<Uint8Array>) await file.write(chunk);
      await file.sync();
    });
  }

  #tooLarge(what: string): ConvbaseError {
    const fix = 'It is no package of pictures or weights; nothing of it was kept.';
    return new ConvbaseError('package/too-large', what, { where: this.#where, fix });
  }

  #damaged(what: string, cause?: unknown): ConvbaseError {
    return new ConvbaseError('package/damaged', what, { where: this.#where, cause });
  }
}
