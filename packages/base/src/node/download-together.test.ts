import { createHash, randomBytes } from 'node:crypto';
import { link, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileServer, serve } from '../testing/file-server.ts';
import { downloadFile, tidyDownload } from './download.ts';
import { watchFileOperations } from './file-operations.ts';
import { thisProcess } from './process-identity.ts';

/** Several who download the same file, one after the other and at once, and what killed ones leave. */

const content = randomBytes(300_000);
const md5 = createHash('md5').update(content).digest('hex');

let folder: string;
let path: string;
let server: FileServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-together-'));
  path = join(folder, 'weights.h5');
  server = await FileServer.start();
  server.behaviours = [serve(content)];
});
afterEach(async () => {
  watchFileOperations(undefined);
  await server.close();
  await rm(folder, { recursive: true });
});

const isRight = async (): Promise<boolean> => (await readFile(path)).equals(content);

test.each([{ md5 }, {}])(
  'one of several downloads, the others wait and say for whom (%j)',
  async (options) => {
    const waited: string[] = [];
    const onWait = (holder: string): void => void waited.push(holder);
    const all = Array.from({ length: 5 }, () => downloadFile(server.url, path, { ...options, onWait }));
    await Promise.all(all);
    expect(server.requests).toHaveLength(1);
    expect(waited).toEqual(Array(4).fill(`process ${process.pid} on ${hostname()}`));
    expect(await isRight()).toBe(true);
    expect(await readdir(folder)).toEqual(['weights.h5']);
  },
);

test('a file that is right is left alone; another, or one that nobody can check, is replaced', async () => {
  await writeFile(path, content);
  await downloadFile(server.url, path, { md5 });
  expect(server.requests).toHaveLength(0);
  await writeFile(path, 'another');
  await downloadFile(server.url, path, { md5 });
  expect(await isRight()).toBe(true);
  await writeFile(path, 'another');
  await downloadFile(server.url, path);
  expect(await isRight()).toBe(true);
});

test('who waits can be stopped, with the reason', async () => {
  server.behaviours = [() => undefined];
  const first = new AbortController();
  const running = downloadFile(server.url, path, { md5, signal: first.signal });
  await expect.poll(() => server.requests.length).toBe(1);
  const reason = new Error('Ctrl-C');
  const second = new AbortController();
  const onWait = (): void => second.abort(reason);
  await expect(downloadFile(server.url, path, { md5, signal: second.signal, onWait })).rejects.toBe(reason);
  first.abort(reason);
  await expect(running).rejects.toBe(reason);
  expect(await readdir(folder)).toEqual([]);
});

test('the lock of another machine is waited for while it is in use, and taken over when it is silent', async () => {
  const lock = `${path}.lock`;
  await writeFile(
    lock,
    JSON.stringify({ ...thisProcess, machine: 'another', host: 'there', id: 'x', instance: 'x' }),
  );
  const stop = new AbortController();
  const onWait = (holder: string): void => stop.abort(new Error(holder));
  const waiting = downloadFile(server.url, path, { md5, onWait, signal: stop.signal });
  await expect(waiting).rejects.toThrow('on there');
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(lock, longAgo, longAgo);
  await downloadFile(server.url, path, { md5 });
  expect(await readdir(folder)).toEqual(['weights.h5']);
});

/** Runs a download that is killed at its `n`-th change to a file; false where it ends before. */
async function killedAt(n: number): Promise<boolean> {
  let count = 0;
  watchFileOperations(() => {
    count += 1;
    // A process that is no more does nothing more either.
    if (count >= n) throw new Error('killed');
  });
  try {
    await downloadFile(server.url, path, { md5, retries: 0 });
    return false;
  } catch (error) {
    expect(error).toMatchObject({ message: 'killed' });
    return true;
  } finally {
    watchFileOperations(undefined);
  }
}

test('killed at any operation, the next one goes on, ends right and leaves nothing', async () => {
  let operations = 1;
  for (; ; operations++) {
    await rm(path, { force: true });
    if (!(await killedAt(operations))) break;
    await downloadFile(server.url, path, { md5 });
    expect(await isRight()).toBe(true);
    // The temporary names of this very process, which lives, are left to it.
    const rest = (await readdir(folder)).filter((name) => !/\.[0-9a-f]{8}-.*\.partial$/.test(name));
    expect(rest, `killed at operation ${operations}`).toEqual(['weights.h5']);
    await rm(folder, { recursive: true });
  }
  expect(operations).toBeGreaterThan(15);
});

test('what a process left that was killed at the very end is tidied up, that of a living one is not', async () => {
  for (const rest of ['.partial', '.partial.json', '.lock']) await writeFile(path + rest, '');
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(`${path}.lock`, longAgo, longAgo);
  await writeFile(path, content);
  await tidyDownload(path);
  expect(await readdir(folder)).toEqual(['weights.h5']);
  await writeFile(`${path}.partial`, '');
  const other = { ...thisProcess, pid: process.ppid, started: '0', host: 'here', id: 'x', instance: 'x' };
  await writeFile(`${path}.lock`, JSON.stringify(other));
  await tidyDownload(path);
  expect(await readdir(folder)).toEqual(['weights.h5', 'weights.h5.lock', 'weights.h5.partial']);
});

test.each(['.partial', '.partial.json', '.lock', ''])(
  'a link under the name %j leads nobody to what it names',
  async (ending) => {
    const precious = join(folder, 'precious');
    for (const make of [symlink, link]) {
      await writeFile(precious, 'precious');
      await make(precious, path + ending);
      const result = downloadFile(server.url, path, { md5 });
      // A lock that says nothing may be anybody's.
      const stop =
        ending === '.lock' ? expect(result).rejects.toMatchObject({ code: 'file/locked' }) : result;
      await stop;
      expect(await readFile(precious, 'utf8')).toBe('precious');
      await rm(path + ending, { force: true });
      await rm(path, { force: true });
    }
    await symlink(join(folder, 'nowhere'), path + ending);
    await downloadFile(server.url, path, { md5 }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'file/locked' });
    });
    expect(await readdir(folder)).not.toContain('nowhere');
  },
);
