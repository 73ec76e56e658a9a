import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { ConvbaseError } from '../errors.ts';
import { afterFailure, withTidying } from './after-failure.ts';
import { fileError } from './file-error.ts';

/** Windows has no such flag. Without it, opening a pipe waits until somebody writes into it. */
const NONBLOCK = (constants as { readonly O_NONBLOCK?: number }).O_NONBLOCK ?? 0;

/** How a file that somebody else made is opened to be read. */
export const READ_FLAGS = constants.O_RDONLY | NONBLOCK;

/**
 * Opens a file that somebody else made. A name or a link may lead to a pipe or to a device without an end: refused.
 *
 * @param doing how errors begin
 * @throws ConvbaseError `file/kind`, and those of `fileError`
 */
export async function openPlainFile(
  path: string,
  doing = 'cannot read it',
): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, READ_FLAGS);
    const stat = await handle.stat();
    if (stat.isFile()) return { handle, size: stat.size };
    const what = stat.isDirectory() ? 'a folder where a file is needed' : 'a pipe or a device, no file';
    throw new ConvbaseError('file/kind', `${doing}: ${what}`, { where: path, fix: 'Check the path.' });
  } catch (error) {
    await afterFailure(async () => handle?.close());
    throw fileError(error, path, doing);
  }
}

/**
 * Reads a whole file that somebody else made, of at most `maxBytes`.
 *
 * @param doing how errors begin
 * @throws ConvbaseError `file/kind`, `file/too-large`, and those of `fileError`
 */
export async function readBounded(path: string, maxBytes: number, doing = 'cannot read it'): Promise<Buffer> {
  const { handle, size } = await openPlainFile(path, doing);
  try {
    return await withTidying(
      async () => {
        if (size <= maxBytes) return handle.readFile();
        throw new ConvbaseError('file/too-large', `${size} bytes, at most ${maxBytes} make sense`, {
          where: path,
          fix: 'It is not the kind of file that is wanted here; check the path.',
        });
      },
      () => handle.close(),
    );
  } catch (error) {
    throw fileError(error, path, doing);
  }
}
