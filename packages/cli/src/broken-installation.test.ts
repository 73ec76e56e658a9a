import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bin } from './testing/runs.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-broken-'));
  await cp(dirname(bin), join(folder, 'bin'), { recursive: true });
  await mkdir(join(folder, 'dist'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** What the program says where its main module is this. */
async function saidBy(main: string, wrapper: readonly string[] = []): Promise<string> {
  await writeFile(join(folder, 'dist/index.js'), main);
  const program = [process.execPath, join(folder, 'bin/convbase.js')];
  const [command = process.execPath, ...args] = [...wrapper, ...program];
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('error: convbase cannot be loaded');
  return stderr;
}

it('a file of the program that is missing is not blamed on the limit of open files', async () => {
  const said = await saidBy("import './missing.js';");
  expect(said).toContain('Install it again');
  expect(said).not.toContain('ulimit');
});

it('a part that is of another version is not, either', async () => {
  await writeFile(join(folder, 'dist/part.js'), '');
  const said = await saidBy("import { gone } from './part.js'; gone();");
  expect(said).toContain('Install it again');
  expect(said).not.toContain('ulimit');
});

it.runIf(process.platform !== 'win32')(
  'the limit of open files is named where it is the reason',
  async () => {
    const emfile = "throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });";
    expect(await saidBy(emfile)).toContain('ulimit -n');
    // Node says no more of a package whose package.json it could not open.
    const low = ['sh', '-c', 'ulimit -n 60 && exec "$@"', 'sh'];
    expect(await saidBy("import 'missing-package';", low)).toContain('ulimit -n');
  },
);
