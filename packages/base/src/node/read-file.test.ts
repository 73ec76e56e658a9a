import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBounded } from './read-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-read-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a file is read up to the limit', async () => {
  const path = join(folder, 'file');
  await writeFile(path, 'abc');
  expect((await readBounded(path, 3)).toString()).toBe('abc');
  await expect(readBounded(path, 2)).rejects.toMatchObject({ code: 'file/too-large', where: path });
  await expect(readBounded(folder, 3)).rejects.toMatchObject({ code: 'file/kind' });
  await expect(readBounded(join(folder, 'none'), 3)).rejects.toMatchObject({ code: 'file/missing' });
});

test.skipIf(process.platform === 'win32')('pipes and endless devices are refused at once', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await symlink('/dev/zero', join(folder, 'endless'));
  for (const name of ['pipe', 'endless']) {
    await expect(readBounded(join(folder, name), 1e9)).rejects.toMatchObject({ code: 'file/kind' });
  }
});
