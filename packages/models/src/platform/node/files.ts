import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listEntries } from '@convbase/base/node';

/** Writes a file as a whole or not at all; makes the folders it lies in. */
export { writeFileAtomic as saveFile } from '@convbase/base/node';

/** How deep `listFiles` looks. */
const MAX_DEPTH = 4;

/** The files below a folder whose names end like this, by their paths below it with `/`, sorted by code unit. */
export async function listFiles(folder: string, ending: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    for (const entry of await listEntries(path)) {
      const full = join(path, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH) await visit(full, depth + 1);
      else if (entry.name.endsWith(ending)) found.push(relative(folder, full).split(sep).join('/'));
    }
  };
  await visit(folder, 0);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

/** Where the files of expected values that ship with the package lie. */
export function shippedGolden(): string {
  return fileURLToPath(new URL('../../../fixtures/golden', import.meta.url));
}
