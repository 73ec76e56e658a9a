import { dirname, join } from 'node:path';
import { cacheFolder, fileChecksum, homeFolder, tidyDownload, tidyFolder } from '@convbase/base/node';

export { downloadFile, isFile, npmPackage } from '@convbase/base/node';

/** Where downloaded weights are kept: convbase's own folder, then that of Keras (`KERAS_HOME` or `~/.keras`). */
export function weightFolders(): { readonly cache: string; readonly keras: string } {
  const cache = join(cacheFolder(), 'weights');
  const home = homeFolder();
  const kerasHome = process.env['KERAS_HOME'] || (home && join(home, '.keras'));
  // Where nobody knows a home folder, Keras has kept nothing there.
  return { cache, keras: kerasHome === undefined ? cache : join(kerasHome, 'models') };
}

/** The address under which a mirror has the weights; undefined where they come from Keras' own. */
export function weightsMirror(): string | undefined {
  return process.env['CONVBASE_WEIGHTS_URL'] || undefined;
}

/** Removes what killed downloads left around a file that is there and right. */
export async function tidyWeights(path: string): Promise<void> {
  await tidyDownload(path);
  await tidyFolder(dirname(path));
}

/** MD5 in hex of a file. */
export function md5(path: string, signal?: AbortSignal): Promise<string> {
  return fileChecksum(path, 'md5', { signal });
}
