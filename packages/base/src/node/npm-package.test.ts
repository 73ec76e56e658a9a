import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchFileOperations } from './file-operations.ts';
import { npmPackage } from './npm-package.ts';

let folder: string;
let cache: string;
let server: Server;
let registry: string;
let tarball: Buffer;
let integrity: string | undefined;
let requests: string[];

/** Real npm against a registry of our own with one package. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-npm-'));
  cache = join(folder, 'a cache');
  tarball = await readFile(await packFolder());
  integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/tiny/-/tiny-1.0.0.tgz') response.end(tarball);
    else if (request.url === '/tiny') {
      const dist = {
        tarball: `${registry}tiny/-/tiny-1.0.0.tgz`,
        ...(integrity === undefined ? {} : { integrity }),
      };
      const version = { name: 'tiny', version: '1.0.0', dependencies: { 'left-pad': '1.0.0' }, dist };
      response.end(
        JSON.stringify({ name: 'tiny', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }),
      );
    } else response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  vi.stubEnv('CONVBASE_CACHE', cache);
  vi.stubEnv('npm_config_registry', registry);
  vi.stubEnv('npm_config_cache', join(folder, 'npm-cache'));
  vi.stubEnv('npm_config_fetch_retries', '0');
  vi.stubEnv('npm_config_workspace', 'no-such-workspace');
});
afterEach(async () => {
  watchFileOperations(undefined);
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

async function packFolder(): Promise<string> {
  const source = join(folder, 'source');
  await mkdir(join(source, 'package', 'data'), { recursive: true });
  const scripts = { prepack: 'exit 1', prepare: 'exit 1', postinstall: 'exit 1' };
  await writeFile(
    join(source, 'package', 'package.json'),
    JSON.stringify({ name: 'tiny', version: '1.0.0', scripts }),
  );
  await writeFile(join(source, 'package', 'data', 'x.bin'), 'hello');
  await create({ gzip: true, cwd: source, file: join(folder, 'tiny.tgz') }, ['package']);
  return join(folder, 'tiny.tgz');
}

test('what npm says of a failure shows no password', async () => {
  const npm = join(folder, 'npm-cli.js');
  await writeFile(
    npm,
    'console.error("npm error cannot GET http://user:secret@host/tiny"); process.exit(1);',
  );
  vi.stubEnv('npm_execpath', npm);
  const error: unknown = await npmPackage('tiny@1.0.0').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'ConvbaseError' });
  expect(String(error)).toContain('cannot GET http://***@host/tiny');
  expect(String(error)).not.toMatch(/user:|secret/);
});

test('fetches the tarball alone, then answers from the cache without the network', async () => {
  const messages: string[] = [];
  const path = await npmPackage('tiny@1.0.0', { onProgress: (message) => messages.push(message) });
  expect(path).toBe(join(cache, 'npm', 'tiny-1.0.0'));
  expect(await readFile(join(path, 'data', 'x.bin'), 'utf8')).toBe('hello');
  expect(await readdir(join(cache, 'npm'))).toEqual(['tiny-1.0.0']);
  expect(requests.some((url) => url.includes('left-pad'))).toBe(false);
  expect(messages.length).toBeGreaterThan(2);
  expect(messages.every((message) => /^tiny@1\.0\.0: .* \(\d+ s\)$/.test(message))).toBe(true);

  requests.length = 0;
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:1/');
  expect(await npmPackage('tiny@1.0.0')).toBe(path);
  expect(requests).toEqual([]);
});

const spoilers: [string, () => unknown, string][] = [
  ['a tampered tarball', () => (tarball = Buffer.concat([tarball, Buffer.from('x')])), 'npm/integrity'],
  ['a registry without SHA-512', () => (integrity = undefined), 'npm/integrity'],
  ['no network', () => vi.stubEnv('npm_config_registry', 'http://127.0.0.1:1/'), 'npm/offline'],
  ['no npm', () => vi.stubEnv('PATH', folder).stubEnv('npm_execpath', undefined), 'npm/missing'],
];
test.each(spoilers)('%s is said clearly and leaves nothing', async (_, spoil, code) => {
  spoil();
  await expect(npmPackage('tiny@1.0.0')).rejects.toMatchObject({ name: 'ConvbaseError', code });
  expect(await readdir(join(cache, 'npm'))).toEqual([]);
});

test.each(['nosuch@1.0.0', 'tiny@9.9.9'])('%s is not to be had', async (spec) => {
  await expect(npmPackage(spec)).rejects.toMatchObject({ code: 'npm/not-found', where: spec });
});

test.each([
  'tiny',
  'tiny@latest',
  '../x@1.0.0',
  'file:x',
  'tiny@1.0.0 && echo',
  '-x@1.0.0;',
  '@a/../b@1.0.0',
])('the spec %j is refused', async (spec) => {
  await expect(npmPackage(spec)).rejects.toMatchObject({ code: 'npm/spec' });
});

test('abort ends it with its own reason', async () => {
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const running = npmPackage('tiny@1.0.0', {
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await expect(running).rejects.toBe(reason);
  expect(await readdir(join(cache, 'npm'))).toEqual([]);
});

/** Stands for npm where it is asked often. */
async function fakeNpm(): Promise<void> {
  const script = `#!/bin/sh\ncase $1 in view) echo '${String(integrity)}';; *) cp ../../../tiny.tgz tiny-1.0.0.tgz;; esac`;
  await writeFile(join(folder, 'npm'), script, { mode: 0o755 });
  vi.stubEnv('npm_execpath', undefined);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
}

test('one of several fetches it, the others wait and say so', async () => {
  const messages: string[] = [];
  const onProgress = (message: string): void => void messages.push(message);
  const paths = await Promise.all([1, 2, 3].map(() => npmPackage('tiny@1.0.0', { onProgress })));
  expect(new Set(paths).size).toBe(1);
  expect(requests.filter((url) => url.endsWith('.tgz'))).toHaveLength(1);
  expect(messages.filter((message) => /waiting for process \d+ on/.test(message))).toHaveLength(2);
  expect(await readdir(join(cache, 'npm'))).toEqual(['tiny-1.0.0']);
});

test.skipIf(process.platform === 'win32')(
  'killed at any operation, the next one ends right',
  async () => {
    await fakeNpm();
    let operations = 1;
    for (; ; operations++) {
      let count = 0;
      watchFileOperations(() => {
        count += 1;
        if (count >= operations) throw new Error('killed');
      });
      const killed = await npmPackage('tiny@1.0.0').then(
        () => false,
        (error: unknown) => {
          expect(error).toMatchObject({ message: 'killed' });
          return true;
        },
      );
      watchFileOperations(undefined);
      if (!killed) break;
      const path = await npmPackage('tiny@1.0.0');
      expect(await readFile(join(path, 'data', 'x.bin'), 'utf8')).toBe('hello');
      // The temporary names of this very process, which lives, are left to it.
      const rest = (await readdir(join(cache, 'npm'))).filter((name) => !name.endsWith('.partial'));
      expect(rest, `killed at operation ${operations}`).toEqual(['tiny-1.0.0']);
      await rm(cache, { recursive: true });
    }
    expect(operations).toBeGreaterThan(15);
  },
  60_000,
);

test('what dead processes left is removed by the next one that looks', async () => {
  const dead = 'tiny-1.0.0.00000000-1-0-00000000.partial';
  await npmPackage('tiny@1.0.0');
  await mkdir(join(cache, 'npm', dead, 'unpacked'), { recursive: true });
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(join(cache, 'npm', dead), longAgo, longAgo);
  await writeFile(join(cache, 'npm', 'other-1.0.0.lock'), '');
  await utimes(join(cache, 'npm', 'other-1.0.0.lock'), longAgo, longAgo);
  await npmPackage('tiny@1.0.0');
  expect(await readdir(join(cache, 'npm'))).toEqual(['tiny-1.0.0']);
});

test.skipIf(process.platform === 'win32')('npm needs no home folder to keep its own cache in', async () => {
  vi.stubEnv('npm_config_cache', undefined);
  vi.stubEnv('HOME', '/proc/nope');
  expect(await readdir(await npmPackage('tiny@1.0.0'))).toContain('package.json');
});
