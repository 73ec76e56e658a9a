import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Behaviour, FileServer, serve } from '../testing/file-server.ts';
import { downloadFile } from './download.ts';

const content = randomBytes(300_000);
const md5 = createHash('md5').update(content).digest('hex');

let folder: string;
let path: string;
let server: FileServer;
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-download-'));
  path = join(folder, 'weights.h5');
  server = await FileServer.start();
  server.behaviours = [serve(content)];
  ({ url } = server);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const quick = { retryDelay: 1 };

test('fetches, checks and names the file; progress ends at the total', async () => {
  const seen: (readonly [number, number | undefined])[] = [];
  await downloadFile(url, path, {
    md5: md5.toUpperCase(),
    onProgress: ({ receivedBytes, totalBytes }) => seen.push([receivedBytes, totalBytes]),
  });
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(await readdir(folder)).toEqual(['weights.h5']);
  expect(seen.at(-1)).toEqual([content.length, content.length]);
});

test('a broken connection is taken up again where it broke', async () => {
  server.behaviours = [serve(content, { breakAt: 100_000 }), serve(content)];
  await downloadFile(url, path, { md5, ...quick });
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(server.requests).toHaveLength(2);
  expect(server.requests[1]?.headers.range).toMatch(/^bytes=[1-9]/);
});

test('a later call goes on from the partial file', async () => {
  server.behaviours = [serve(content, { breakAt: 200_000 })];
  await expect(downloadFile(url, path, { md5, retries: 0 })).rejects.toMatchObject({
    code: 'download/incomplete',
  });
  expect((await readdir(folder)).sort()).toEqual(['weights.h5.partial', 'weights.h5.partial.json']);
  server.behaviours = [serve(content)];
  await downloadFile(url, path, { md5 });
  expect(server.requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]/);
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(await readdir(folder)).toEqual(['weights.h5']);
});

test('a file that changed meanwhile is fetched anew', async () => {
  server.behaviours = [serve(content, { breakAt: 200_000 }), serve(content.subarray(1), { etag: '"2"' })];
  await downloadFile(url, path, quick);
  expect((await readFile(path)).equals(content.subarray(1))).toBe(true);
});

test('a wrong range or a refused one starts again', async () => {
  const wrongRange: Behaviour = (_, response) => {
    response.writeHead(206, { 'content-range': `bytes 5-9/${content.length}` }).end('xxxxx');
  };
  const refused: Behaviour = (_, response) => response.writeHead(416).end();
  server.behaviours = [
    serve(content, { breakAt: 100_000 }),
    wrongRange,
    serve(content, { breakAt: 100_000 }),
    refused,
    serve(content),
  ];
  await downloadFile(url, path, { md5, retries: 5, ...quick });
  expect((await readFile(path)).equals(content)).toBe(true);
});

test('a wrong checksum is refused and nothing stays', async () => {
  await expect(downloadFile(url, path, { md5: '0'.repeat(32) })).rejects.toMatchObject({
    code: 'download/checksum',
  });
  expect(await readdir(folder)).toEqual([]);
  expect(server.requests).toHaveLength(1);
});

test('404 is said at once, 503 is tried again, and both tell what to do by hand', async () => {
  server.behaviours = [(_, response) => response.writeHead(404).end()];
  await expect(downloadFile(url, path)).rejects.toMatchObject({
    code: 'download/http',
    fix: expect.stringContaining(path) as string,
  });
  expect(server.requests).toHaveLength(1);
  server.behaviours = [(_, response) => response.writeHead(503).end()];
  await expect(downloadFile(url, path, { retries: 2, ...quick })).rejects.toMatchObject({
    code: 'download/busy',
  });
  expect(server.requests).toHaveLength(4);
});

test('an unreachable server is said by name', async () => {
  const dead = 'http://127.0.0.1:1/x';
  await expect(downloadFile(dead, path, { retries: 1, ...quick })).rejects.toMatchObject({
    code: 'download/offline',
    where: dead,
  });
  expect(await readdir(folder)).not.toContain('weights.h5');
});

test('abort stops at once with its own reason and keeps the part for later', async () => {
  server.behaviours = [serve(content, { breakAt: 150_000 })];
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const running = downloadFile(url, path, {
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await expect(running).rejects.toBe(reason);
  expect((await readdir(folder)).sort()).toEqual(['weights.h5.partial', 'weights.h5.partial.json']);
});
