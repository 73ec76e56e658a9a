import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stoppedEverywhere } from '../testing/stops.ts';
import { abandonedPath, isAbandoned, removeAbandoned, removeAtOnce, temporaryPath } from './temporary.ts';

const now = new Date();
const long = new Date(Date.now() - 3_600_000);

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-temporary-'));
});
afterEach(() => rm(root, { recursive: true }));

test('what has a temporary name is abandoned when its process has ended, or said so', () => {
  const own = basename(temporaryPath('a/b'));
  expect(isAbandoned(own, long)).toBe(false);
  expect(isAbandoned(basename(abandonedPath('a/b')), now)).toBe(true);
  const { pid } = spawnSync(process.execPath, ['--version']);
  expect(isAbandoned(own.replace(`-${process.pid}-`, `-${pid}-`), now)).toBe(true);
});

test('a process of another machine counts as running until nothing has happened for long', () => {
  const elsewhere = basename(temporaryPath('b')).replace(/\.[0-9a-f]{8}-/, '.00000000-');
  expect(isAbandoned(elsewhere, now)).toBe(false);
  expect(isAbandoned(elsewhere, long)).toBe(true);
});

test('what says nothing of a process is nobody of ours', async () => {
  const strangers = ['a.partial', 'notes.mine.partial', 'removed.partial'];
  for (const name of strangers) {
    await writeFile(join(root, name), 'precious');
    await utimes(join(root, name), new Date(0), new Date(0));
  }
  await writeFile(abandonedPath(join(root, 'a')), '');
  await removeAbandoned(root);
  expect((await readdir(root)).sort()).toEqual(strangers);
});

test('what is removed is there whole or not at all', async () => {
  const operations = await stoppedEverywhere(
    async (at) => {
      const folder = join(root, String(at), 'a');
      await mkdir(folder, { recursive: true });
      for (const name of ['1', '2', '3']) await writeFile(join(folder, name), '');
      await removeAtOnce(folder);
    },
    async (at) => {
      const names = await readdir(join(root, String(at)));
      if (names.includes('a')) expect(await readdir(join(root, String(at), 'a'))).toEqual(['1', '2', '3']);
      expect(names).toHaveLength(1);
    },
  );
  expect(operations).toBe(5);
});
