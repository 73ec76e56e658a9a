import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '@convbase/base/node';
import { prefixFiles } from './manifest.ts';
import { isAbandoned } from './owner.ts';

/** How long an unfinished folder waits for somebody to go on with it. */
const FORGOTTEN_MS = 7 * 24 * 3_600_000;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly used: number;
}

/**
 * Removes the outputs that have not been of use for longest until the folder holds no more than `diskBytes`, and
 * unfinished ones that nobody went on with for a week. Those of `keep` stay.
 */
export async function tidy(root: string, keep: string, diskBytes: number): Promise<void> {
  const complete: Entry[] = [];
  for (const name of await list(root)) {
    const path = join(root, name);
    if (!name.endsWith('.partial')) {
      complete.push({
        path,
        bytes: await bytesIn(path),
        used: await touched(join(path, prefixFiles.manifest)),
      });
      continue;
    }
    const since = await touched(path);
    const owner = name.slice(name.indexOf('.') + 1);
    if (Date.now() - since > FORGOTTEN_MS && isAbandoned(owner, new Date(since))) await remove(path);
  }
  let bytes = complete.reduce((sum, entry) => sum + entry.bytes, 0);
  for (const entry of complete.sort((a, b) => a.used - b.used)) {
    if (bytes <= diskBytes) break;
    if (entry.path === join(root, keep)) continue;
    await remove(entry.path);
    bytes -= entry.bytes;
  }
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await list(folder)) bytes += await statOr(join(folder, name), 0, ({ size }) => size);
  return bytes;
}

/** When a file was last written to or marked as used; long ago when it is not there. */
function touched(path: string): Promise<number> {
  return statOr(path, 0, ({ mtimeMs }) => mtimeMs);
}

/** Another process may be tidying up as well. */
async function statOr<T>(
  path: string,
  missing: T,
  use: (found: { size: number; mtimeMs: number }) => T,
): Promise<T> {
  try {
    return use(await stat(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return missing;
    throw fileError(error, path, 'cannot look at it');
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw fileError(error, folder, 'cannot list it');
  }
}

async function remove(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw fileError(error, folder, 'cannot remove it');
  }
}
