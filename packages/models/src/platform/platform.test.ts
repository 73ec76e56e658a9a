import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { MemorySource } from '../formats/index.ts';
import { fixture } from '../formats/testing/files.ts';
import * as browser from './browser.ts';
import * as node from './node.ts';

test('both sides offer the same', () => {
  expect(Object.keys(browser).sort()).toEqual(Object.keys(node).sort());
});

test('both hash several sources as one', async () => {
  const sources = [new MemorySource(Uint8Array.of(1, 2), 'a'), new MemorySource(Uint8Array.of(3), 'b')];
  const expected = createHash('sha256')
    .update(Uint8Array.of(1, 2, 3))
    .digest('hex');
  expect(await node.sha256(sources)).toBe(expected);
  expect(await browser.sha256(sources)).toBe(expected);
});

test('a page fetches what Node opens', async () => {
  const bytes = readFileSync(fixture('mini_vgg.h5'));
  const onDisk = await node.openSource(fixture('mini_vgg.h5'));
  const fetched = await browser.openSource(`data:;base64,${bytes.toString('base64')}`);
  expect(fetched.size).toBe(onDisk.size);
  expect(Buffer.from(fetched.bytes(1000, 500)).equals(Buffer.from(onDisk.bytes(1000, 500)))).toBe(true);
  expect(() => onDisk.bytes(onDisk.size - 1, 2)).toThrow(expect.objectContaining({ code: 'file/truncated' }));
  onDisk.close();
  expect(() => onDisk.bytes(0, 1)).toThrow(expect.objectContaining({ code: 'file/closed' }));
});

test("a server's refusal names the address", async () => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('', { status: 404, statusText: 'Not Found' })));
  await expect(browser.openSource('http://host/model.json')).rejects.toMatchObject({
    code: 'file/missing',
    message: expect.stringContaining('http://host/model.json: the server answers 404') as string,
  });
  vi.unstubAllGlobals();
});

test('shards lie beside model.json', () => {
  expect(browser.fileBeside('http://host/a/model.json', 'sub/x.bin')).toBe('http://host/a/sub/x.bin');
  expect(browser.fileInFolder('http://host/a/', 'model.json')).toBe('http://host/a/model.json');
  expect(node.fileBeside('/a/model.json', 'sub/x.bin')).toBe('/a/sub/x.bin');
});

test('Node stops what has no end', () => {
  expect(node.withTimeLimit(1000, () => 7)).toBe(7);
  expect(() =>
    node.withTimeLimit(1000, () => {
      throw new RangeError('own');
    }),
  ).toThrow(RangeError);
  expect(() =>
    node.withTimeLimit(50, () => {
      for (;;);
    }),
  ).toThrow(expect.objectContaining({ code: 'time/limit' }));
  expect(node.withTimeLimit(1000, () => 8)).toBe(8);
});

test.skipIf(process.platform === 'win32')(
  'a pipe in the place of a file does not hold anybody up',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'convbase-pipe-'));
    execFileSync('mkfifo', [join(folder, 'model.keras')]);
    await expect(node.openSource(join(folder, 'model.keras'))).rejects.toMatchObject({
      code: 'file/kind',
    });
    rmSync(folder, { recursive: true });
  },
);
