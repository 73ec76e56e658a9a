import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create, Header } from 'tar';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unpack } from './unpack.ts';

let folder: string;
const out = (): string => join(folder, 'out');
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-unpack-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A tarball of real files below `package/`. */
async function packed(files: Record<string, string>, link?: string): Promise<string> {
  for (const [name, text] of Object.entries({ 'package.json': '{}', ...files })) {
    const path = join(folder, 'source/package', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  if (link !== undefined) await symlink(link, join(folder, 'source/package/link'));
  const file = join(folder, 'some.tgz');
  await create({ gzip: true, cwd: join(folder, 'source'), file }, ['package']);
  return file;
}

/** A tarball of headers of one's own. */
async function forged(...entries: { path: string; type?: 'File' | 'Directory' | 'Link'; text?: string }[]) {
  const blocks = entries.flatMap(({ path, type = 'File', text = '' }) => {
    const header = new Header({
      path,
      type,
      size: text.length,
      mode: 0o644,
      linkpath: type === 'Link' ? '/etc/passwd' : '',
    });
    header.encode();
    const body = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    body.write(text);
    return [header.block ?? Buffer.alloc(0), body];
  });
  const file = join(folder, 'forged.tgz');
  await writeFile(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
  return file;
}

const manifest = { path: 'package/package.json', text: '{}' };

test('files and folders come out as they went in', async () => {
  const large = 'x'.repeat(300_000);
  await unpack(await packed({ 'a/b/c.txt': 'c', large, empty: '' }), out(), 'some@1.0.0');
  expect(await readFile(join(out(), 'a/b/c.txt'), 'utf8')).toBe('c');
  expect(await readFile(join(out(), 'large'), 'utf8')).toBe(large);
  expect(await readFile(join(out(), 'empty'), 'utf8')).toBe('');
});

test('many files come out', async () => {
  const names = Array.from({ length: 500 }, (_, i) => `f${i}`);
  await unpack(await packed(Object.fromEntries(names.map((name) => [name, name]))), out(), 'some@1.0.0');
  expect(await readdir(out())).toHaveLength(501);
});

test('links are refused', async () => {
  const file = await packed({}, '/etc/passwd');
  await expect(unpack(file, out(), 'evil@1.0.0')).rejects.toMatchObject({ code: 'package/damaged' });
  const hard = await forged({ path: 'package/link', type: 'Link' }, manifest);
  await expect(unpack(hard, `${out()}2`, 'evil@1.0.0')).rejects.toMatchObject({ code: 'package/damaged' });
  expect(await readdir(out())).not.toContain('link');
});

test('what is cut off or no tarball is refused', async () => {
  const file = await packed({ large: 'x'.repeat(100_000) });
  const whole = await readFile(file);
  for (const bytes of [whole.subarray(0, whole.length / 2), whole.subarray(0, 20), Buffer.from('hello')]) {
    await writeFile(file, bytes);
    await rm(out(), { recursive: true, force: true });
    await expect(unpack(file, out(), 'short@1.0.0')).rejects.toMatchObject({ code: 'package/damaged' });
  }
});

test.each([['../../x'], ['package/../../x'], ['/x']])('the path %s leads nowhere', async (path) => {
  const file = await forged({ path, text: 'x' }, manifest);
  await expect(unpack(file, out(), 'evil@1.0.0')).rejects.toMatchObject({
    code: expect.stringMatching(/^(file\/unsafe-path|package\/damaged)$/) as string,
  });
  expect(await readdir(folder)).toEqual(['forged.tgz', 'out']);
});

test.each([
  [
    [
      { path: 'package/a', text: '1' },
      { path: 'package/a', text: '2' },
    ],
  ],
  [
    [
      { path: 'package/a', text: '1' },
      { path: 'package/a/b', text: '2' },
    ],
  ],
  [
    [
      { path: 'package/a/b', text: '1' },
      { path: 'package/a', text: '2' },
    ],
  ],
])('two entries in one place are refused (%#)', async (entries) => {
  const file = await forged(...entries, manifest);
  await expect(unpack(file, out(), 'evil@1.0.0')).rejects.toMatchObject({ code: 'package/damaged' });
});

const limits = { bytes: 10_000, fileBytes: 5_000, entries: 10, pathLength: 60 };
const bombs: [string, Parameters<typeof forged>][] = [
  ['a file that is too large', [{ path: 'package/a', text: 'x'.repeat(5001) }]],
  [
    'too much in all',
    Array.from({ length: 3 }, (_, i) => ({ path: `package/${i}`, text: 'x'.repeat(4000) })),
  ],
  ['too many files', Array.from({ length: 20 }, (_, i) => ({ path: `package/${i}` }))],
  [
    'too many folders',
    Array.from({ length: 20 }, (_, i) => ({ path: `package/${i}/`, type: 'Directory' as const })),
  ],
  ['a path that is too long', [{ path: `package/${'x'.repeat(70)}` }]],
];
test.each(bombs)('%s is refused', async (_, entries) => {
  const file = await forged(manifest, ...entries);
  await expect(unpack(file, out(), 'bomb@1.0.0', limits)).rejects.toMatchObject({
    code: 'package/too-large',
  });
});

test('a tarball without a package.json is none of a package', async () => {
  const file = await forged({ path: 'package/a', text: 'x' });
  await expect(unpack(file, out(), 'some@1.0.0')).rejects.toMatchObject({ code: 'package/damaged' });
});
