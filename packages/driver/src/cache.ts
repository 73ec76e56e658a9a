import { join } from 'node:path';
import { cacheFolder, exists, listEntries, listIfThere } from '@convbase/base/node';
import type { LinuxSystem } from './system.ts';

/** The Vulkan manifest at the top of an unpacked driver. */
export const manifestName = 'driver.json';

/** Where convbase keeps drivers, one folder each: `<codename>-<architecture>-<mesa version>`. */
export function driversFolder(): string {
  return join(cacheFolder(), 'drivers');
}

/** The folder itself if it holds a complete driver. */
export async function findDriver(folder: string): Promise<string | undefined> {
  return (await exists(join(folder, manifestName))) ? folder : undefined;
}

/** The newest driver in the cache that was made for this system. */
export async function cachedDriver(drivers: string, system: LinuxSystem): Promise<string | undefined> {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  const prefix = `${system.codename}-${architecture}-`;
  const names = await listIfThere(drivers);
  const newestFirst = names
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  for (const name of newestFirst) {
    const found = await findDriver(join(drivers, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The folders below `root` where Debian and its like put shared libraries, whatever the architecture. */
export async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const parent of ['usr/lib', 'lib']) {
    const path = join(root, parent);
    if (!(await exists(path))) continue;
    for (const entry of await listEntries(path)) {
      if (entry.isDirectory() && entry.name.includes('-linux-')) folders.push(join(path, entry.name));
    }
    folders.push(path);
  }
  return folders;
}
