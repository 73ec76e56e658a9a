import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FailingRead } from '../testing/failing-reads.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { exists, isFile, isFolder, linkStatusOf, listIfThere, remove, statusOf } from './file-operations.ts';
import { takeLock } from './lock.ts';
import { removeAbandoned, removeAtOnce } from './temporary.ts';

const failing = vi.hoisted(() => ({ now: undefined as FailingRead | undefined }));
vi.mock('node:fs/promises', async (original) => {
  const { withFailingReads } = await import('../testing/failing-reads.ts');
  return withFailingReads(await original(), () => failing.now);
});

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-reads-'));
  file = join(folder, 'file');
  await writeFile(file, 'precious');
});
afterEach(async () => {
  failing.now = undefined;
  await rm(folder, { recursive: true });
});

const errors = [
  ['EMFILE', 'file/too-many-open'],
  ['EIO', 'file/io'],
  ['EACCES', 'file/denied'],
] as const;

test.each(errors)('where the system says %s, nobody takes it that nothing is there', async (code, told) => {
  const ways = { exists, isFile, isFolder, linkStatusOf, listIfThere, statusOf };
  for (const [name, way] of Object.entries(ways)) {
    failing.now = { path: file, code };
    await expect(way(file), name).rejects.toMatchObject({ code: told, where: file });
  }
});

test.each(errors)('where the system says %s, what may be there stays', async (code, told) => {
  const ways: Record<string, () => Promise<unknown>> = {
    writeFileAtomic: () => writeFileAtomic(file, 'new'),
    remove: () => remove(file),
    removeAtOnce: () => removeAtOnce(file),
    takeLock: () => takeLock(file, file),
  };
  for (const [name, way] of Object.entries(ways)) {
    failing.now = { path: file, code };
    await expect(way(), name).rejects.toMatchObject({ code: told, where: file });
    failing.now = undefined;
    expect(await readFile(file, 'utf8'), name).toBe('precious');
  }
  const left = join(folder, 'left.nobody-0-0.partial');
  await mkdir(left);
  failing.now = { path: left, code };
  await expect(removeAbandoned(folder)).rejects.toMatchObject({ code: told, where: left });
  failing.now = undefined;
  expect(await isFolder(left)).toBe(true);
});
