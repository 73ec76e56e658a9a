import { join } from 'node:path';
import { exists, rename } from '@convbase/base/node';

/**
 * Makes the finished `.npy` files in a folder unfinished ones again. A process may have been stopped after some of the
 * files that belong together had their names and before all had: so `NpyWriter` goes on with each of them.
 *
 * @param names of the files, `.npy` included
 */
export async function reopenFinished(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder, name);
    if (await exists(path)) await rename(path, `${path}.partial`);
  }
}
