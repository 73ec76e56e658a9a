import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { abandonedPath } from '@convbase/base/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunFolder } from './run-folder.ts';

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'convbase-run-'));
});
afterEach(() => rm(path, { recursive: true }));

test('what a crash left goes, but not what is half of somebody else', async () => {
  for (const folder of [path, join(path, 'checkpoints')]) {
    await mkdir(folder, { recursive: true });
    for (const name of ['notes.partial', 'run.json.partial', 'last.mine.partial']) {
      await writeFile(join(folder, name), 'precious');
      await utimes(join(folder, name), new Date(0), new Date(0));
    }
    await writeFile(abandonedPath(join(folder, 'run.json')), '');
  }
  await new RunFolder(path).clean();
  const strangers = ['last.mine.partial', 'notes.partial', 'run.json.partial'];
  expect(await readdir(join(path, 'checkpoints'))).toEqual(strangers);
  expect((await readdir(path)).sort()).toEqual(['checkpoints', ...strangers]);
});

test.each(['notes.partial', 'checkpoints/last.safetensors.partial'])(
  'a run is not begun where somebody has %s',
  async (name) => {
    await mkdir(join(path, 'checkpoints'));
    await writeFile(join(path, name), 'precious');
    await expect(new RunFolder(path).prepare()).rejects.toMatchObject({ code: 'folder/in-the-way' });
    expect((await readdir(path, { recursive: true })).sort()).toEqual(['checkpoints', name].sort());
  },
);
