import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModelFile } from './open.ts';
import { fixture } from './testing/files.ts';

const text = (value: string) => new TextEncoder().encode(value);

test('the contents decide, not the extension', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'convbase-'));
  try {
    const path = join(folder, 'model.h5');
    copyFileSync(fixture('mini_vgg.keras'), path);
    const file = await openModelFile(path);
    expect(file.format).toBe('keras');
    expect(await file.checksum()).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
    file.close();
    file.close();
    const weight = file.layers.flatMap(({ weights }) => weights)[0];
    expect(() => weight?.read()).toThrow(/closed/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['an empty file', new Uint8Array(0), 'file/format', /empty/],
  ['an error page', text('<!DOCTYPE html><html>404</html>'), 'file/format', /no model or weight file/],
  ['a pointer of git lfs', text('version https://git-lfs.github.com/spec/v1\n'), 'file/format', /no model/],
  ['other JSON', text('{"a": 1}'), 'file/malformed', /no model\.json/],
  [
    'a tfjs graph model',
    text('{"format":"graph-model","modelTopology":{},"weightsManifest":[]}'),
    'file/unsupported',
    /graph/,
  ],
  [
    'a model.json without its shards',
    text(
      '{"modelTopology":{"class_name":"Sequential","config":[]},"weightsManifest":[{"paths":["a"],"weights":[]}]}',
    ),
    'file/missing',
    /not at hand/,
  ],
  [
    'a zip of something else',
    Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    'file/malformed',
    /directory/,
  ],
])('refuses %s', async (_what, bytes, code, message) => {
  const error: unknown = await openModelFile(bytes, { name: 'thing' }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  expect(String(error)).toContain('thing');
});

test('a path that is not there is named', async () => {
  await expect(openModelFile('/nowhere/model.keras')).rejects.toMatchObject({
    code: 'file/missing',
    where: '/nowhere/model.keras',
  });
});
