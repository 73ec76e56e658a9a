import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Behaviour, FileServer, serve } from '../testing/file-server.ts';
import { downloadFile, type DownloadOptions } from './download.ts';
import { watchFileOperations } from './file-operations.ts';

/** Servers, and what stands between them and us, that do anything but send the file. */

const content = randomBytes(300_000);
const md5 = createHash('md5').update(content).digest('hex');
const part = 200_000;

let folder: string;
let path: string;
let server: FileServer;
/** The most bytes that were ever in the unfinished file. */
let most: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-hostile-'));
  path = join(folder, 'weights.h5');
  server = await FileServer.start();
});
afterEach(async () => {
  watchFileOperations(undefined);
  await server.close();
  await rm(folder, { recursive: true });
});

const fetchIt = (options: DownloadOptions = {}) =>
  downloadFile(server.url, path, { md5, maxBytes: 310_000, retryDelay: 1, onProgress: seeSize, ...options });
const seeSize = ({ receivedBytes }: { receivedBytes: number }): void => {
  most = Math.max(most, receivedBytes);
};
beforeEach(() => {
  most = 0;
});

/** Leaves the first part of the file there, as a lost connection does. */
async function breakOff(): Promise<void> {
  server.behaviours = [serve(content, { breakAt: part })];
  await expect(fetchIt({ retries: 0 })).rejects.toMatchObject({ code: 'download/incomplete' });
}

const zeros = Buffer.alloc(65_536);
const endless: Behaviour = (_, response) => {
  const more = (): void => {
    if (!response.destroyed) response.write(zeros, more);
  };
  response.writeHead(200, { etag: '"1"' });
  more();
};
const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20));

test.each<[string, Behaviour]>([
  ['says that it is larger', serve(Buffer.concat([content, zeros]))],
  ['has no length and no end', endless],
  ['unpacks to 64 MiB', (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)],
])('an answer that %s is refused, and nothing of it stays', async (_, behaviour) => {
  server.behaviours = [behaviour];
  await expect(fetchIt()).rejects.toMatchObject({ code: 'download/too-large', where: server.url });
  expect(most).toBeLessThanOrEqual(310_000);
  expect(await readdir(folder)).toEqual([]);
  expect(server.requests).toHaveLength(1);
});

test('nothing is written beyond the bound', async () => {
  const sizes: Promise<number>[] = [];
  watchFileOperations(({ kind }) => {
    if (kind !== 'write' && kind !== 'remove') return;
    sizes.push(
      stat(`${path}.partial`).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  });
  server.behaviours = [endless];
  await expect(fetchIt()).rejects.toMatchObject({ code: 'download/too-large' });
  expect(Math.max(...(await Promise.all(sizes)))).toBeLessThanOrEqual(310_000);
});

test('without a bound of its own a download has one that no file exceeds', async () => {
  server.behaviours = [
    (_, response) => response.writeHead(200, { 'content-length': 2 ** 40 }).flushHeaders(),
  ];
  await expect(downloadFile(server.url, path)).rejects.toMatchObject({ code: 'download/too-large' });
});

const total = content.length;
const partial =
  (range: string, body: Uint8Array, headers = {}): Behaviour =>
  (_, response) =>
    response.writeHead(206, { etag: '"1"', 'content-range': range, ...headers }).end(body);
const rest = content.subarray(part);

test.each<[string, Behaviour]>([
  ['begins elsewhere', partial(`bytes 5-9/${total}`, rest)],
  ['ends behind its end', partial(`bytes ${part}-${total + 9}/${total}`, rest)],
  ['ends before it begins', partial(`bytes ${part}-9/${total}`, rest)],
  [
    'is of a file of another size',
    partial(`bytes ${part}-${total + 9}/${total + 10}`, Buffer.concat([rest, zeros])),
  ],
  ['is longer than it says', partial(`bytes ${part}-${total - 1}/${total}`, Buffer.concat([rest, zeros]))],
  [
    'is packed',
    partial(`bytes ${part}-${total - 1}/${total}`, gzipSync(rest), { 'content-encoding': 'gzip' }),
  ],
  ['says nothing of itself', (_, response) => response.writeHead(206).end(rest)],
])('a range that %s is not taken: the download starts again', async (_, lie) => {
  await breakOff();
  server.behaviours = [lie, serve(content)];
  await fetchIt();
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(server.requests.at(-1)?.headers.range).toBeUndefined();
  server.requests.length = 0;
  await rm(path);
  server.behaviours = [lie];
  await expect(fetchIt({ retries: 2 })).rejects.toMatchObject({ code: 'download/incomplete' });
  expect(server.requests).toHaveLength(3);
  expect(await readdir(folder)).toEqual([]);
});

test('a range that gives a part only is a step on the way', async () => {
  await breakOff();
  const step = partial(`bytes ${part}-${part + 999}/${total}`, content.subarray(part, part + 1000));
  server.behaviours = [step, serve(content)];
  await fetchIt();
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(server.requests.at(-1)?.headers.range).toBe(`bytes=${part + 1000}-`);
});

test('what came packed is not gone on with: its bytes are not those of the server', async () => {
  const packed = gzipSync(content);
  server.behaviours = [
    (_, response) => {
      response.writeHead(200, { etag: '"1"', 'content-encoding': 'gzip', 'content-length': packed.length });
      response.write(packed.subarray(0, part), () => setTimeout(() => response.destroy(), 50));
    },
    serve(content),
  ];
  await fetchIt();
  expect(server.requests.at(-1)?.headers.range).toBeUndefined();
});

test.each([['before'], ['after']])(
  'a server that falls silent %s its first byte is tried again',
  async (when) => {
    server.behaviours = [
      (_, response) => {
        if (when === 'after') response.writeHead(200, { 'content-length': total }).write(zeros);
      },
      serve(content),
    ];
    await fetchIt({ stallTimeout: 200 });
    expect((await readFile(path)).equals(content)).toBe(true);
    server.behaviours = [() => undefined];
    await expect(fetchIt({ stallTimeout: 100, retries: 0, md5: '0'.repeat(32) })).rejects.toMatchObject({
      code: 'download/stalled',
      where: server.url,
    });
  },
);

test('bytes that come slowly, but come, are waited for', async () => {
  server.behaviours = [
    (_, response) => {
      response.writeHead(200, { 'content-length': total });
      let sent = 0;
      const timer = setInterval(() => {
        response.write(content.subarray(sent, (sent += 30_000)));
        if (sent < total) return;
        clearInterval(timer);
        response.end();
      }, 60);
    },
  ];
  await fetchIt({ stallTimeout: 300, retries: 0 });
});

test('a trickle is not waited for without an end, and what came of it stays', async () => {
  let sent = 0;
  const trickle: Behaviour = (_, response) => {
    response.writeHead(200, { etag: '"1"', 'content-length': total });
    const timer = setInterval(() => response.write(content.subarray(sent, (sent += 5))), 20);
    response.on('close', () => {
      clearInterval(timer);
    });
  };
  server.behaviours = [trickle];
  await expect(fetchIt({ stallTimeout: 300, retries: 0 })).rejects.toMatchObject({
    code: 'download/stalled',
    message: expect.stringMatching(/sent only \d+ bytes/) as string,
  });
  const { size } = await stat(`${path}.partial`);
  expect(size).toBeGreaterThan(20);
  server.behaviours = [serve(content)];
  await fetchIt();
  expect(server.requests.at(-1)?.headers.range).toBe(`bytes=${size}-`);
  expect(await readFile(path)).toEqual(content);
});

test('an address with a password is refused at once, and shows none', async () => {
  const address = server.url.replace('//', '//user:secret@');
  const error: unknown = await downloadFile(address, path).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'download/address' });
  expect(String(error)).not.toMatch(/user:|secret/);
  server.behaviours = [(_, response) => response.writeHead(302, { location: address }).end()];
  const redirected: unknown = await fetchIt().catch((reason: unknown) => reason);
  expect(redirected).toMatchObject({ code: 'download/redirect' });
  expect(String(redirected)).not.toMatch(/user:|secret/);
  expect(server.requests).toHaveLength(1);
  await expect(downloadFile('ftp://host/w', path)).rejects.toMatchObject({ code: 'download/address' });
  expect(await readdir(folder)).toEqual([]);
});

test('a login page in place of the file is said to be one, and costs nothing of what is here', async () => {
  await breakOff();
  const page = '\n<!DOCTYPE html><html><title>Log in</title></html>';
  server.behaviours = [(_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page)];
  await expect(fetchIt()).rejects.toMatchObject({
    code: 'download/web-page',
    fix: expect.stringContaining('log in') as string,
  });
  expect((await stat(`${path}.partial`)).size).toBe(part);
  server.behaviours = [serve(content)];
  await fetchIt();
  expect(server.requests.at(-1)?.headers.range).toBe(`bytes=${part}-`);
});

test('another file is told by its size and its MD5', async () => {
  server.behaviours = [serve(Buffer.from('please log in'))];
  await expect(fetchIt()).rejects.toMatchObject({
    code: 'download/checksum',
    message: expect.stringContaining('(13 bytes)') as string,
  });
  expect(await readdir(folder)).toEqual([]);
});

test('redirects are followed, but not in a circle and not away from the web', async () => {
  const to =
    (location: string): Behaviour =>
    (_, response) =>
      response.writeHead(302, { location }).end();
  server.behaviours = [to('/elsewhere'), to(server.url), serve(content)];
  await fetchIt();
  await rm(path);
  for (const location of ['/weights.h5', 'file:///etc/passwd', 'http://[']) {
    server.behaviours = [to(location)];
    server.requests.length = 0;
    await expect(fetchIt()).rejects.toMatchObject({ code: 'download/redirect', where: server.url });
    expect(server.requests.length).toBeLessThan(25);
  }
});

test('a complete part is not fetched again', async () => {
  const kill = new Error('killed');
  server.behaviours = [serve(content)];
  watchFileOperations(({ kind }) => {
    if (kind === 'rename' && most === total) throw kill;
  });
  await expect(fetchIt()).rejects.toBe(kill);
  watchFileOperations(undefined);
  server.behaviours = [serve(content)];
  await fetchIt();
  expect(server.requests.at(-1)?.headers.range).toBe(`bytes=${total}-`);
  expect((await readFile(path)).equals(content)).toBe(true);
});
