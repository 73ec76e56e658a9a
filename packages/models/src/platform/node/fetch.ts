import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, fileError } from '@convbase/base/node';

export { downloadFile, npmPackage } from '@convbase/base/node';

/** Where downloaded weights are kept: convbase's own folder, then that of Keras (`KERAS_HOME` or `~/.keras`). */
export function weightFolders(): { readonly cache: string; readonly keras: string } {
  const kerasHome = process.env['KERAS_HOME'] || join(homedir(), '.keras');
  return { cache: join(cacheFolder(), 'weights'), keras: join(kerasHome, 'models') };
}

/** Whether there is a file (not a folder) at that path. */
export function isFile(path: string): Promise<boolean> {
  return Promise.resolve(statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}

/** MD5 in hex of a file. */
export async function md5(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('md5');
  try {
    const stream = createReadStream(path, signal === undefined ? {} : { signal });
    for await (const chunk of stream as AsyncIterable<Uint8Array>) hash.update(chunk);
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(error, path, 'cannot read it');
  }
  return hash.digest('hex');
}
