import {
  link,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AtomicFile, writeFileAtomic } from './atomic-file.ts';
import { thisProcess } from './process-identity.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-atomic-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** Makes the `failing`-th write to any file fail as on a full disk. */
async function fillDisk(failing: number): Promise<void> {
  const probe = await open(join(folder, 'probe'), 'w');
  const prototype = Object.getPrototypeOf(probe) as { write: (...args: unknown[]) => Promise<unknown> };
  await probe.close();
  await rm(join(folder, 'probe'));
  const write = prototype.write;
  let count = 0;
  vi.spyOn(prototype, 'write').mockImplementation(function (this: unknown, ...args: unknown[]) {
    if (++count < failing) return write.apply(this, args);
    return Promise.reject(
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    );
  });
}

test('writes a file, creating its folders, and leaves nothing beside it', async () => {
  const path = join(folder, 'a', 'b', 'file.txt');
  await writeFileAtomic(path, 'grüße');
  await writeFileAtomic(path, new Uint8Array([1, 2]));
  expect([...(await readFile(path))]).toEqual([1, 2]);
  expect(await readdir(join(folder, 'a', 'b'))).toEqual(['file.txt']);
});

test('a full disk is said by name, removes the partial file and keeps the old one', async () => {
  const path = join(folder, 'file.txt');
  await writeFile(path, 'old');
  await fillDisk(1);
  await expect(writeFileAtomic(path, 'new')).rejects.toMatchObject({ code: 'disk/full', where: path });
  expect(await readdir(folder)).toEqual(['file.txt']);
  expect(await readFile(path, 'utf8')).toBe('old');
});

test('after a failure the file is closed for good', async () => {
  await fillDisk(2);
  const file = await AtomicFile.open(join(folder, 'f'));
  await file.append(new Uint8Array(8));
  await expect(file.append(new Uint8Array(8))).rejects.toMatchObject({ code: 'disk/full' });
  await expect(file.append(new Uint8Array(8))).rejects.toMatchObject({ code: 'file/closed' });
  await expect(file.commit()).rejects.toMatchObject({ code: 'file/closed' });
  await file.abort();
  expect(await readdir(folder)).toEqual([]);
});

test('a folder in the way and a file where a folder is needed are named', async () => {
  await mkdir(join(folder, 'taken'));
  await writeFile(join(folder, 'plain'), '');
  await expect(writeFileAtomic(join(folder, 'taken'), 'x')).rejects.toMatchObject({
    code: 'file/kind',
    where: join(folder, 'taken'),
  });
  await expect(writeFileAtomic(join(folder, 'plain', 'x'), 'x')).rejects.toMatchObject({
    code: 'file/kind',
    where: join(folder, 'plain'),
  });
  expect((await readdir(folder)).sort()).toEqual(['plain', 'taken']);
});

test('chunks, a header written late, reading back, truncation', async () => {
  const path = join(folder, 'f');
  const file = await AtomicFile.open(path);
  await file.append(new Uint8Array([0, 0, 3]));
  await file.append(new Uint8Array([4, 5]));
  await file.writeAt(new Uint8Array([1, 2]), 0);
  expect([...(await file.readAt(1, 9))]).toEqual([2, 3, 4, 5]);
  await file.truncate(4);
  expect(file.size).toBe(4);
  await file.append(new Uint8Array([9]));
  await file.commit();
  expect([...(await readFile(path))]).toEqual([1, 2, 3, 4, 9]);
});

test('abort removes the partial file', async () => {
  const file = await AtomicFile.open(join(folder, 'f'));
  await file.append(new Uint8Array(3));
  expect(await readdir(folder)).toHaveLength(1);
  await file.abort();
  expect(await readdir(folder)).toEqual([]);
});

test('a resumable file goes on where it was paused, even after a full disk', async () => {
  const path = join(folder, 'f');
  const first = await AtomicFile.open(path, { resumable: true });
  await first.append(new Uint8Array([1]));
  await first.pause();
  await fillDisk(1);
  const second = await AtomicFile.open(path, { resumable: true });
  await expect(second.append(new Uint8Array([7]))).rejects.toMatchObject({ code: 'disk/full' });
  vi.restoreAllMocks();
  expect(await readdir(folder)).toEqual(['f.partial']);
  const third = await AtomicFile.open(path, { resumable: true });
  expect(third.size).toBe(1);
  await third.append(new Uint8Array([2]));
  await third.commit();
  expect(await readdir(folder)).toEqual(['f']);
  expect([...(await readFile(path))]).toEqual([1, 2]);
});

test('a name of any length that the system takes can be written', async () => {
  const longest = join(folder, 'ü'.repeat(127));
  await writeFileAtomic(longest, 'x');
  expect(await readFile(longest, 'utf8')).toBe('x');
  await expect(writeFileAtomic(join(folder, 'a'.repeat(300)), 'x')).rejects.toMatchObject({
    code: 'file/name',
  });
});

test('what a killed process left half-written goes when the same file is written again', async () => {
  const dead = `${thisProcess.machine}-${process.pid}-long_ago-0123abcd`;
  const foreign = '00000000-1-2-0123abcd';
  for (const owner of [dead, foreign]) await writeFile(join(folder, `f.${owner}.partial`), 'half');
  await writeFile(join(folder, `other.${dead}.partial`), 'half');
  await writeFile(join(folder, 'f.partial'), 'of a resumable file');
  await writeFileAtomic(join(folder, 'f'), 'whole');
  expect((await readdir(folder)).sort()).toEqual(
    ['f', `f.${foreign}.partial`, 'f.partial', `other.${dead}.partial`].sort(),
  );
});

test('the unfinished part of a resumable file is no link to anything', async () => {
  const [path, precious] = [join(folder, 'f'), join(folder, 'precious')];
  await writeFile(precious, 'precious');
  for (const makeLink of [symlink, link]) {
    await makeLink(precious, `${path}.partial`);
    const file = await AtomicFile.open(path, { resumable: true });
    expect(file.size).toBe(0);
    await file.append(new Uint8Array([1]));
    await file.commit();
    expect(await readFile(precious, 'utf8')).toBe('precious');
    expect([...(await readFile(path))]).toEqual([1]);
  }
});

test('of several that may not overwrite one writes, and what appears meanwhile stays', async () => {
  const path = join(folder, 'model');
  const texts = ['a', 'b', 'c'];
  const written = await Promise.allSettled(
    texts.map((text) => writeFileAtomic(path, text, { overwrite: false })),
  );
  const refused = written.filter(({ status }) => status === 'rejected');
  expect(refused.map((result) => (result as PromiseRejectedResult).reason as unknown)).toEqual([
    expect.objectContaining({ code: 'file/exists', where: path }),
    expect.objectContaining({ code: 'file/exists', where: path }),
  ]);
  expect(await readFile(path, 'utf8')).toBe(texts[written.findIndex(({ status }) => status === 'fulfilled')]);

  const other = join(folder, 'other');
  async function* slowly(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('new');
    await writeFile(other, 'old');
  }
  await expect(writeFileAtomic(other, slowly(), { overwrite: false })).rejects.toMatchObject({
    code: 'file/exists',
  });
  expect(await readFile(other, 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['model', 'other']);
});

test('folders that were made for a file that cannot be written go again', async () => {
  await mkdir(join(folder, 'mine'));
  await fillDisk(1);
  await expect(writeFileAtomic(join(folder, 'mine', 'a', 'b', 'file'), 'x')).rejects.toMatchObject({
    code: 'disk/full',
  });
  expect(await readdir(folder, { recursive: true })).toEqual(['mine']);
});

test.runIf(process.platform !== 'win32').each(['moved', 'removed', 'replaced'])(
  'a file whose folder is %s says so at the next sync',
  async (what) => {
    const home = join(folder, 'home');
    const file = await AtomicFile.open(join(home, 'file'), { resumable: true });
    await file.append(Buffer.from('x'));
    await file.sync();
    if (what === 'removed') await rm(home, { recursive: true });
    else await rename(home, join(folder, 'elsewhere'));
    if (what === 'replaced') {
      await mkdir(home);
      await writeFile(join(home, 'file.partial'), 'y');
    }
    await expect(file.sync()).rejects.toMatchObject({ code: 'file/moved', where: file.partialPath });
  },
);
