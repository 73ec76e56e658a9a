import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConvbaseError } from '../errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { watchFileOperations } from './file-operations.ts';
import { checkPlace } from './temporary.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-place-'));
  await writeFile(join(folder, 'file'), '');
});
afterEach(async () => {
  watchFileOperations(undefined);
  await rm(folder, { recursive: true });
});

test('a place that can be written to is found good, and nothing stays there', async () => {
  for (const path of ['', 'file', 'new', 'new/folder']) await checkPlace(join(folder, path));
  expect(await readdir(folder)).toEqual(['file']);
});

test.skipIf(process.platform === 'win32')('other places are refused by what the system says', async () => {
  const code = (path: string): Promise<string> =>
    checkPlace(path).then(
      () => 'none',
      (error: unknown) => (error as ConvbaseError).code,
    );
  expect(await code(join(folder, 'file', 'x'))).toBe('file/kind');
  expect(await code(join(folder, 'n'.repeat(300)))).toBe('file/name');
  expect(await code(join(folder, 'a\0b'))).toBe('file/name');
  expect(await code('/dev/null/x')).toBe('file/kind');
});

test('what fails first is told, not what fails while tidying up after it', async () => {
  watchFileOperations(({ kind }) => {
    if (kind === 'write') throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', errno: -28 });
    if (kind === 'remove') throw Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
  });
  await expect(writeFileAtomic(join(folder, 'new'), 'text')).rejects.toMatchObject({ code: 'disk/full' });
});

test.skipIf(process.platform === 'win32')('a device is not replaced by a file', async () => {
  await expect(writeFileAtomic('/dev/null', 'text')).rejects.toMatchObject({ code: 'file/kind' });
});
