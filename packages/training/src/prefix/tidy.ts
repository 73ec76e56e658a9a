import { join } from 'node:path';
import {
  isAbandoned,
  isTemporaryName,
  listIfThere,
  PREFIX_KEY,
  remove,
  REMOVED,
  removeAtOnce,
  statusOf,
} from '@convbase/base/node';
import { prefixFiles } from './manifest.ts';

/** Removes outputs, whoever reads them meanwhile: what is open stays readable, and what is not is missed as a whole. */
export async function removeOutputs(root: string, key: string): Promise<void> {
  await removeAtOnce(join(root, key), join(root, REMOVED));
}

/** How long an unfinished folder waits for somebody to go on with it. */
const FORGOTTEN_MS = 7 * 24 * 3_600_000;

interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly used: number;
}

/**
 * Removes the outputs that have not been of use for longest until the folder holds no more than `diskBytes`, and
 * unfinished ones that nobody went on with for a week. Those of `keep` stay.
 */
export async function tidy(root: string, keep: string, diskBytes: number): Promise<void> {
  const complete: Entry[] = [];
  for (const name of await listIfThere(root)) {
    const path = join(root, name);
    if (!name.endsWith('.partial')) {
      // The folder may be one of the user's own, with other things in it.
      if (!PREFIX_KEY.test(name)) continue;
      const used = await touched(join(path, prefixFiles.manifest));
      complete.push({ name, bytes: await bytesIn(path), used });
      continue;
    }
    const [begin = ''] = name.split('.');
    if (!isTemporaryName(name) || !(begin === REMOVED || PREFIX_KEY.test(begin))) continue;
    const since = await touched(path);
    const forgotten = begin === REMOVED || Date.now() - since > FORGOTTEN_MS;
    if (forgotten && isAbandoned(name, new Date(since))) await remove(path);
  }
  let bytes = complete.reduce((sum, entry) => sum + entry.bytes, 0);
  for (const entry of complete.sort((a, b) => a.used - b.used)) {
    if (bytes <= diskBytes) break;
    if (entry.name === keep) continue;
    await removeOutputs(root, entry.name);
    bytes -= entry.bytes;
  }
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  // Another process may be tidying up as well.
  for (const name of await listIfThere(folder)) bytes += (await statusOf(join(folder, name)))?.size ?? 0;
  return bytes;
}

/** When a file was last written to or marked as used; long ago when it is not there. */
async function touched(path: string): Promise<number> {
  return (await statusOf(path))?.mtimeMs ?? 0;
}
