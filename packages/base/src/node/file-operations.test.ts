import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConvbaseError } from '../errors.ts';
import {
  exists,
  listFolder,
  listIfThere,
  makeFolder,
  remove,
  removeEmptyFolder,
  watchFileOperations,
  type FileOperation,
} from './file-operations.ts';
import { appendText } from './with-file.ts';
import { writeFileAtomic } from './atomic-file.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-files-'));
});
afterEach(async () => {
  watchFileOperations(undefined);
  await rm(root, { recursive: true, force: true });
});
const at = (...names: string[]): string => join(root, ...names);

it('makes folders in folders, and says of each what stands in the way', async () => {
  await makeFolder(at('a', 'b', 'c'));
  await makeFolder(at('a', 'b', 'c'));
  expect(await listFolder(at('a', 'b'))).toEqual(['c']);
  await writeFile(at('file'), '');
  await expect(makeFolder(at('file', 'x', 'y'))).rejects.toMatchObject({
    code: 'file/kind',
    where: at('file'),
  });
  await symlink(at('nowhere'), at('dangling'));
  await expect(makeFolder(at('dangling', 'x'))).rejects.toMatchObject({
    code: 'file/kind',
    where: at('dangling'),
  });
  await symlink(at('circle'), at('circle'));
  await expect(makeFolder(at('circle', 'x'))).rejects.toMatchObject({ code: 'file/link' });
  await expect(makeFolder(at('n'.repeat(300)))).rejects.toMatchObject({ code: 'file/name' });
  await expect(makeFolder(at('nul\0'))).rejects.toMatchObject({ code: 'file/name' });
});

it.runIf(process.platform === 'linux')('makes no folder below /proc, at once', async () => {
  await expect(makeFolder('/proc/nope/a/b')).rejects.toMatchObject({
    code: 'file/kind',
    where: '/proc/nope',
  });
});

it.runIf(process.platform !== 'win32' && process.getuid?.() !== 0)('says what is denied', async () => {
  await mkdir(at('closed'));
  await chmod(at('closed'), 0);
  await expect(makeFolder(at('closed', 'x'))).rejects.toMatchObject({ code: 'file/denied' });
  await expect(exists(at('closed', 'x'))).rejects.toMatchObject({ code: 'file/denied' });
  await chmod(at('closed'), 0o700);
});

it('lists, tells what is there, and removes links but not what they lead to', async () => {
  await expect(listFolder(at('none'))).rejects.toMatchObject({ code: 'file/missing' });
  expect(await listIfThere(at('none'))).toEqual([]);
  await mkdir(at('kept'));
  await writeFile(at('kept', 'file'), '');
  await makeFolder(at('gone', 'deep'));
  await symlink(at('kept'), at('gone', 'deep', 'link'));
  await remove(at('gone'));
  await remove(at('gone'));
  expect(await listFolder(root)).toEqual(['kept']);
  expect(await listFolder(at('kept'))).toEqual(['file']);
  expect(await removeEmptyFolder(at('kept'))).toBe(false);
  await makeFolder(at('bare'));
  if (process.platform !== 'win32') expect(await removeEmptyFolder(`${at('bare')}/.`)).toBe(false);
  expect(await removeEmptyFolder(at('bare'))).toBe(true);
  expect(await exists(at('kept', 'file', 'x'))).toBe(false);
});

it('appends to files, but not through links', async () => {
  await appendText(at('log'), 'one\n');
  await appendText(at('log'), 'two\n');
  expect(await readFile(at('log'), 'utf8')).toBe('one\ntwo\n');
  await symlink(at('log'), at('link'));
  await expect(appendText(at('link'), 'x')).rejects.toMatchObject({ code: 'file/link' });
});

it('shows every change before it is made, so that it can be kept from happening', async () => {
  const seen: FileOperation['kind'][] = [];
  watchFileOperations(({ kind }) => void seen.push(kind));
  await writeFileAtomic(at('new', 'file'), 'text');
  expect(seen).toEqual(['folder', 'create', 'write', 'sync', 'rename', 'sync']);
  for (let stopAt = 1; stopAt <= 5; stopAt++) {
    let count = 0;
    watchFileOperations(() => {
      if (++count >= stopAt) throw Object.assign(new Error('full'), { code: 'ENOSPC', errno: -28 });
    });
    await expect(writeFileAtomic(at('new', 'file'), 'other')).rejects.toBeInstanceOf(ConvbaseError);
    watchFileOperations(undefined);
    expect(await readFile(at('new', 'file'), 'utf8')).toBe(stopAt === 5 ? 'other' : 'text');
  }
});
