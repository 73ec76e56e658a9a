import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { watchFileOperations } from './file-operations.ts';
import { lockFolder, refuseLocked, takeLock } from './lock.ts';
import { thisProcess } from './process-identity.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-lock-'));
});
afterEach(async () => {
  watchFileOperations(undefined);
  await rm(root, { recursive: true });
});

const path = (): string => join(root, 'run');
/** Leaves the lock of another process there. */
const foreign = async (holder: object, name = 'lock'): Promise<void> => {
  await mkdir(path(), { recursive: true });
  const all = { ...thisProcess, started: '0', host: hostname(), id: 'x', instance: 'x', ...holder };
  await writeFile(join(path(), name), JSON.stringify(all));
};
const takeAndRelease = async (): Promise<void> => {
  const release = await lockFolder(path());
  await release();
};
/** The number of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('close', resolve));
  return child.pid ?? 0;
}

it('lets one in, and the next when that one is done', async () => {
  const release = await lockFolder(path());
  const who = expect.stringContaining(`process ${process.pid} on ${hostname()}`) as string;
  await expect(lockFolder(path())).rejects.toMatchObject({
    code: 'file/locked',
    where: path(),
    message: who,
  });
  await release();
  expect(await readdir(path())).toEqual([]);
  await takeAndRelease();
});

it('waits where it is asked to, and says for whom', async () => {
  const release = await lockFolder(path());
  const holders: string[] = [];
  let has = false;
  const waiting = lockFolder(path(), { onWait: (holder) => void holders.push(holder) }).then((next) => {
    has = true;
    return next;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([has, holders]).toEqual([false, [`process ${process.pid} on ${hostname()}`]]);
  await release();
  const next = await waiting;
  const stop = new AbortController();
  const stopped = lockFolder(path(), { onWait: () => undefined, signal: stop.signal });
  stop.abort(new Error('stop'));
  await expect(stopped).rejects.toThrow();
  await next();
});

it('takes over from a process that is no more, but not from one that nobody can ask about', async () => {
  const pid = await deadPid();
  await foreign({ pid });
  await takeAndRelease();
  // The number of a process that is no more may be that of another one by now, such as this.
  if (process.platform === 'linux') {
    await foreign({ pid: process.pid, started: 'long ago' });
    await takeAndRelease();
  }
  // Another thread of this process, or another copy of the module, may have it.
  await foreign({ pid: process.pid, started: thisProcess.started });
  await expect(lockFolder(path())).rejects.toMatchObject({ code: 'file/locked' });
  await foreign({ pid: process.ppid, started: 'long ago' });
  if (process.platform === 'linux') await takeAndRelease();
  await foreign({ pid: process.ppid });
  await expect(lockFolder(path())).rejects.toMatchObject({ code: 'file/locked' });
  await foreign({ pid, machine: 'another', host: 'elsewhere' });
  await expect(lockFolder(path())).rejects.toThrow(/process \d+ on elsewhere/);
  await writeFile(join(path(), 'lock'), 'what?');
  await expect(lockFolder(path(), { onWait: () => undefined })).rejects.toMatchObject({
    code: 'file/locked',
  });
  expect(await readdir(path())).toEqual(['lock']);
});

it('tells without taking it whether a lock could be taken', async () => {
  const lock = join(path(), 'lock');
  const look = (): Promise<void> => refuseLocked(lock, path());
  await look();
  expect(await readdir(root)).toEqual([]);
  const release = await lockFolder(path());
  await expect(look()).rejects.toMatchObject({ code: 'file/locked', where: path() });
  await release();
  await look();
  const pid = await deadPid();
  await foreign({ pid, machine: 'another', host: 'elsewhere' });
  await expect(look()).rejects.toThrow(/process \d+ on elsewhere/);
  await foreign({ pid });
  await look();
  expect(await readdir(path())).toEqual(['lock']);
});

it('does not wait for one who takes it over on another machine', async () => {
  const pid = await deadPid();
  await foreign({ pid });
  await foreign({ pid, machine: 'another', host: 'elsewhere' }, 'lock.takeover');
  const refused = { code: 'file/locked', message: expect.stringContaining('remove') as string };
  await expect(refuseLocked(join(path(), 'lock'), path())).rejects.toMatchObject(refused);
  await expect(lockFolder(path())).rejects.toMatchObject(refused);
  await expect(lockFolder(path(), { onWait: () => undefined })).rejects.toMatchObject(refused);
});

it('takes an empty lock for one that a power cut left, but not at once', async () => {
  await mkdir(path());
  await writeFile(join(path(), 'lock'), '');
  await expect(lockFolder(path())).rejects.toMatchObject({ code: 'file/locked' });
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(join(path(), 'lock'), longAgo, longAgo);
  await takeAndRelease();
});

it('lets one of many in at a time, also where all find the lock of a dead process', async () => {
  for (let round = 0; round < 5; round++) {
    await foreign({ pid: await deadPid() });
    await foreign({ pid: await deadPid() }, 'lock.takeover');
    let inside = 0;
    let entered = 0;
    const attempts = Array.from({ length: 20 }, async () => {
      const release = await lockFolder(path(), { onWait: () => undefined });
      expect(++inside).toBe(1);
      entered++;
      await new Promise((resolve) => setTimeout(resolve, 2));
      inside--;
      await release();
    });
    await Promise.all(attempts);
    expect(entered).toBe(20);
    expect(await readdir(path())).toEqual([]);
  }
});

it('leaves a lock that changed while it was about to be taken over', async () => {
  await foreign({ pid: await deadPid() });
  const lock = join(path(), 'lock');
  let changed = false;
  watchFileOperations(({ kind, path: changing }) => {
    // The lock of those who take over is about to be there: a faster one has done it by now.
    if (changed || kind !== 'link' || changing !== `${lock}.takeover`) return;
    changed = true;
    const holder = {
      ...thisProcess,
      pid: process.ppid,
      started: '0',
      host: 'faster',
      id: 'y',
      instance: 'y',
    };
    writeFileSync(lock, JSON.stringify(holder));
  });
  await expect(lockFolder(path())).rejects.toThrow(`process ${process.ppid} on faster`);
  expect(changed).toBe(true);
  expect(await readdir(path())).toEqual(['lock']);
  expect(await readFile(lock, 'utf8')).toContain('faster');
});

it('lets one thread of a process in at a time', async () => {
  // A thread has a copy of the module, and knows nothing of the locks of the others; it needs what was built.
  const module = pathToFileURL(join(import.meta.dirname, '../../dist/node.js')).href;
  const body = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { workerData } from 'node:worker_threads';
    import { takeLock } from ${JSON.stringify(module)};
    const [inside, together, entered] = [0, 1, 2];
    const { counts, path, where } = workerData;
    for (let round = 0; round < 20; round++) {
      const release = await takeLock(path, where, { onWait: () => undefined });
      if (Atomics.add(counts, inside, 1) !== 0) Atomics.add(counts, together, 1);
      await sleep(2);
      Atomics.sub(counts, inside, 1);
      Atomics.add(counts, entered, 1);
      await release();
      await sleep(1);
    }`;
  const counts = new Int32Array(new SharedArrayBuffer(12));
  const workerData = { counts, path: join(path(), 'lock'), where: path() };
  const threads = [1, 2].map(async () => {
    const url = new URL(`data:text/javascript,${encodeURIComponent(body)}`);
    const worker = new Worker(url, { workerData });
    await new Promise((resolve, reject) => {
      worker.on('exit', resolve);
      worker.on('error', reject);
    });
  });
  await Promise.all(threads);
  expect([...counts]).toEqual([0, 0, 40]);
  expect(await readdir(path())).toEqual([]);
});

it('can be taken by the next one at whatever operation a process was killed', async () => {
  const lock = join(path(), 'lock');
  for (let stopAt = 1; ; stopAt++) {
    await foreign({ pid: await deadPid() });
    let operations = 0;
    watchFileOperations(() => {
      // The process is gone: nothing of what it would have done afterwards is done.
      if (++operations >= stopAt) throw new Error('killed');
    });
    const killed = await takeLock(lock, path()).then(
      async (release) =>
        release().then(
          () => false,
          () => true,
        ),
      () => true,
    );
    watchFileOperations(undefined);
    await takeAndRelease();
    const left = (await readdir(path())).filter((name) => !name.endsWith('.partial'));
    expect(left, `killed at operation ${stopAt}`).toEqual([]);
    if (!killed) break;
    expect(stopAt).toBeLessThan(100);
  }
});
