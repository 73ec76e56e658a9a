import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inChild } from './testing/runs.ts';

/**
 * Several processes that want one file, some of them killed. They run on the build, against a server of this machine.
 * `CONVBASE_ROUNDS=50` makes so many rounds of each, and kills at every operation instead of some.
 */
const rounds = Number(process.env['CONVBASE_ROUNDS'] ?? 1);
const isWhole = rounds > 1;

const content = randomBytes(2_000_000);
const md5 = createHash('md5').update(content).digest('hex');

let cache: string;
let server: Server;
let url: string;
/** The ranges that were asked for; empty where the whole file was. */
let requests: string[];
let answer: RequestListener;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'convbase-downloads-'));
  requests = [];
  answer = slowly;
  server = createServer((request, response) => {
    requests.push(request.headers.range ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cache, { recursive: true });
});

/** Sends the file, or the rest of it, in twenty pieces. */
const slowly: RequestListener = (request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const range = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(start > 0 ? 206 : 200, {
    ...{ etag: '"1"', 'content-length': content.length - start },
    ...(start > 0 && { 'content-range': range }),
  });
  let sent = start;
  const send = (): void => {
    if (response.destroyed) return;
    response.write(content.subarray(sent, (sent += 100_000)));
    if (sent < content.length) setTimeout(send, 20);
    else response.end();
  };
  send();
};

const testing = (name: string): string => join(import.meta.dirname, 'testing', name);

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Begins a process that wants the file; killed at a change to a file where a number is given. */
function begin(killAt?: number): { child: ChildProcess; ended: Promise<Ended> } {
  const preload = ['--import', pathToFileURL(testing('kill-at.js')).href];
  const file = JSON.stringify({ file: 'w.h5', url: `${url}/w.h5`, md5, maxBytes: 2_100_000 });
  const args = [...(killAt === undefined ? [] : preload), testing('fetch-file.js'), file];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, CONVBASE_CACHE: cache, KERAS_HOME: cache, CONVBASE_KILL_AT: String(killAt) },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { child, ended };
}

async function expectRight(): Promise<void> {
  expect(await readdir(join(cache, 'weights'))).toEqual(['w.h5']);
  expect((await readFile(join(cache, 'weights', 'w.h5'))).equals(content)).toBe(true);
}

describe('one file for several processes', () => {
  it.each([2, 3, 5])(
    'of %d of which some are killed the others end right',
    async (count) => {
      for (let round = 0; round < rounds; round++) {
        await rm(join(cache, 'weights'), { recursive: true, force: true });
        requests = [];
        const all = Array.from({ length: count }, () => begin());
        const victims = all.slice(0, Math.floor(count / 2));
        // One that has begun, and perhaps another one at any moment.
        await expect.poll(() => requests.length, { timeout: 60_000 }).toBeGreaterThan(0);
        for (const { child } of victims) {
          await sleep(Math.random() * 500);
          child.kill('SIGKILL');
        }
        for (const { ended } of all.slice(victims.length)) {
          expect(await ended).toMatchObject({ code: 0 });
        }
        await Promise.all(all.map(({ ended }) => ended));
        // No bytes are fetched twice but by who takes over from a process that was killed before it wrote them.
        expect(requests.length).toBeLessThanOrEqual(1 + victims.length);
        expect(await begin().ended).toMatchObject({ code: 0, stdout: 'cache' });
        await expectRight();
      }
    },
    rounds * 60_000,
  );

  it(
    'killed at any operation, the next one ends right and leaves nothing',
    async () => {
      let killAt = 1;
      for (; ; killAt += isWhole ? 1 : 12) {
        await rm(join(cache, 'weights'), { recursive: true, force: true });
        const first = await begin(killAt).ended;
        if (first.signal === null) break;
        expect(first.signal).toBe('SIGKILL');
        expect(await begin().ended, `killed at ${killAt}`).toMatchObject({ code: 0 });
        await expectRight();
      }
      expect(killAt).toBeGreaterThan(20);
    },
    rounds * 300_000,
  );
});

describe('weights pull', () => {
  const env = (): NodeJS.ProcessEnv => ({
    CONVBASE_CACHE: cache,
    KERAS_HOME: cache,
    CONVBASE_WEIGHTS_URL: `${url}/keras/`,
  });

  it('says for whom it waits, and what came in place of the file', async () => {
    let somebodyWaits: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (somebodyWaits = resolve));
    const texts = ['hello', '<!doctype html><p>Log in'];
    // The first answer is held back until the other process says that it waits.
    answer = (_request, response) => void waiting.then(() => response.end(texts.shift()));
    const look = (output: string): boolean => {
      if (output.includes('waiting for process')) somebodyWaits();
      return false;
    };
    const all = [1, 2].map(() => inChild(['weights', 'pull', 'vgg16'], { env: env(), interruptWhen: look }));
    const errors = (await Promise.all(all)).map(({ code, stderr }) => `${code} ${stderr}`).sort();
    expect(errors.filter((text) => /waiting for process \d+ on .*downloading it/.test(text))).toHaveLength(1);
    expect(errors.filter((text) => text.includes('the MD5 of the download (5 bytes)'))).toHaveLength(1);
    expect(errors.filter((text) => text.includes('the answer is a web page'))).toHaveLength(1);
    for (const text of errors) expect(text).toMatch(/^1 /);
    expect(await readdir(join(cache, 'weights'))).toEqual([]);
  });

  it('takes no more than the file may have', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 70_000_000 });
      response.end(Buffer.alloc(70_000_000));
    };
    const { code, stderr } = await inChild(['weights', 'pull', 'vgg16'], { env: env() });
    expect([code, stderr]).toEqual([1, expect.stringContaining('70000000 bytes, at most 60067042')]);
    expect(await readdir(join(cache, 'weights'))).toEqual([]);
  });
});
