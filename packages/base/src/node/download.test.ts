import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { downloadFile } from './download.ts';

const content = randomBytes(300_000);
const md5 = createHash('md5').update(content).digest('hex');

let folder: string;
let path: string;
let server: Server;
let url: string;
let requests: IncomingMessage[];
/** What the next requests do; the last one stays. */
let behaviours: ((request: IncomingMessage, response: ServerResponse) => void)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-download-'));
  path = join(folder, 'weights.h5');
  requests = [];
  behaviours = [serve()];
  server = createServer((request, response) => {
    requests.push(request);
    const behaviour = behaviours.length > 1 ? behaviours.shift() : behaviours[0];
    behaviour?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.h5`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

/** An ordinary file server with ranges; `breakAt` cuts the connection after that many bytes of the file. */
function serve({ etag = '"1"', data = content, breakAt = Infinity } = {}) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const start = range !== null && request.headers['if-range'] === etag ? Number(range[1]) : 0;
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      'content-length': data.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${data.length - 1}/${data.length}` } : {}),
    });
    if (breakAt >= data.length) response.end(data.subarray(start));
    else response.write(data.subarray(start, breakAt), () => setTimeout(() => response.destroy(), 50));
  };
}

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
  behaviours = [serve({ breakAt: 100_000 }), serve()];
  await downloadFile(url, path, { md5, ...quick });
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(requests).toHaveLength(2);
  expect(requests[1]?.headers.range).toMatch(/^bytes=[1-9]/);
});

test('a later call goes on from the partial file', async () => {
  behaviours = [serve({ breakAt: 200_000 })];
  await expect(downloadFile(url, path, { md5, retries: 0 })).rejects.toMatchObject({
    code: 'download/incomplete',
  });
  expect((await readdir(folder)).sort()).toEqual(['weights.h5.partial', 'weights.h5.partial.json']);
  behaviours = [serve()];
  await downloadFile(url, path, { md5 });
  expect(requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]/);
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(await readdir(folder)).toEqual(['weights.h5']);
});

test('a file that changed meanwhile is fetched anew', async () => {
  behaviours = [serve({ breakAt: 200_000 }), serve({ etag: '"2"', data: content.subarray(1) })];
  await downloadFile(url, path, quick);
  expect((await readFile(path)).equals(content.subarray(1))).toBe(true);
});

test('a wrong range or a refused one starts again', async () => {
  const wrongRange = (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(206, { 'content-range': `bytes 5-9/${content.length}` }).end('xxxxx');
  };
  const refused = (_: IncomingMessage, response: ServerResponse) => response.writeHead(416).end();
  behaviours = [serve({ breakAt: 100_000 }), wrongRange, serve({ breakAt: 100_000 }), refused, serve()];
  await downloadFile(url, path, { md5, retries: 5, ...quick });
  expect((await readFile(path)).equals(content)).toBe(true);
});

test('a wrong checksum is refused and nothing stays', async () => {
  await expect(downloadFile(url, path, { md5: '0'.repeat(32) })).rejects.toMatchObject({
    code: 'download/checksum',
  });
  expect(await readdir(folder)).toEqual([]);
  expect(requests).toHaveLength(1);
});

test('404 is said at once, 503 is tried again, and both tell what to do by hand', async () => {
  behaviours = [(_, response) => response.writeHead(404).end()];
  await expect(downloadFile(url, path)).rejects.toMatchObject({
    code: 'download/http',
    fix: expect.stringContaining(path) as string,
  });
  expect(requests).toHaveLength(1);
  behaviours = [(_, response) => response.writeHead(503).end()];
  await expect(downloadFile(url, path, { retries: 2, ...quick })).rejects.toMatchObject({
    code: 'download/busy',
  });
  expect(requests).toHaveLength(4);
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
  behaviours = [serve({ breakAt: 150_000 })];
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const running = downloadFile(url, path, {
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await expect(running).rejects.toBe(reason);
  expect((await readdir(folder)).sort()).toEqual(['weights.h5.partial', 'weights.h5.partial.json']);
});
