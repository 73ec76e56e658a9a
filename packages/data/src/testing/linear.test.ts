import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { encode, inFolder } from '../../../base/src/testing/fuzz-target.ts';
import { growsLinearly, type Growing } from '../../../base/src/testing/linear.ts';
import { featureFiles, readManifest } from '../features/manifest.ts';
import { imageFolder } from '../index.ts';
import { parseNpyHeader } from '../npy/format.ts';

const scratch = mkdtempSync(join(tmpdir(), 'convbase-linear-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const manifest = (changes: object): Promise<unknown> => {
  const text = JSON.stringify({
    ...{ format: 'convbase-features', version: 1, complete: true, skipped: [] },
    base: { model: 'm', weights: null, checksum: 'x', layer: 'l' },
    input: { size: [8, 8], preprocess: 'caffe', resize: 'nearest' },
    source: { path: 'p', listing: 'x', samples: 2 },
    ...{ classNames: ['a'], featureShape: [3], ...changes },
  });
  return readManifest(inFolder(join(scratch, 'features'), { [featureFiles.manifest]: encode(text) }));
};
const header = (shape: string): Uint8Array => {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }\n`;
  const bytes = Buffer.alloc(12 + text.length);
  bytes.write('\x93NUMPY\x02\0', 'latin1');
  bytes.writeUInt32LE(text.length, 8);
  bytes.write(text, 12, 'latin1');
  return bytes;
};

/** Folders of pictures are made once: their files are empty, for nothing looks into them yet. */
const folders = new Map<string, string>();
function pictures(classes: number, each: number): string {
  const key = `${classes}-${each}`;
  const there = folders.get(key);
  if (there !== undefined) return there;
  const names = times(classes, (c) => times(each, (i) => `c${c}/${i}.jpg`)).flat();
  const folder = inFolder(join(scratch, key), Object.fromEntries(names.map((name) => [name, encode('x')])));
  folders.set(key, folder);
  return folder;
}

const growing: Growing[] = [
  ['manifest of class names', 20_000, (n) => manifest({ classNames: times(n, String) })],
  ['manifest of wrong names', 20_000, (n) => manifest({ classNames: times(n, Number) })],
  ['manifest of skipped pictures', 20_000, (n) => manifest({ skipped: times(n, String) })],
  ['manifest with keys', 20_000, (n) => manifest(Object.fromEntries(times(n, (i) => [`k${i}`, i])))],
  ['header of dimensions', 8000, (n) => parseNpyHeader(header('1,'.repeat(n)), 'x')],
  ['header of spaces', 15_000, (n) => parseNpyHeader(header(' '.repeat(n)), 'x')],
  ['header of colons', 4000, (n) => parseNpyHeader(header(`1), 'shape': (`.repeat(n)), 'x')],
  ['folder of classes', 250, (n) => imageFolder(pictures(n, 2))],
  ['folder of pictures', 500, (n) => imageFolder(pictures(2, n))],
];

// Making them is not reading them.
for (const n of [250, 1000]) pictures(n, 2);
for (const n of [500, 2000]) pictures(2, n);

test.each(growing)('%s', (...one) => growsLinearly(one));
