import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, fileChecksum } from '@convbase/base/node';

export { downloadFile, isFile, npmPackage } from '@convbase/base/node';

/** Where downloaded weights are kept: convbase's own folder, then that of Keras (`KERAS_HOME` or `~/.keras`). */
export function weightFolders(): { readonly cache: string; readonly keras: string } {
  const kerasHome = process.env['KERAS_HOME'] || join(homedir(), '.keras');
  return { cache: join(cacheFolder(), 'weights'), keras: join(kerasHome, 'models') };
}

/** MD5 in hex of a file. */
export function md5(path: string, signal?: AbortSignal): Promise<string> {
  return fileChecksum(path, 'md5', { signal });
}
