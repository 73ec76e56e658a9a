import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashKernels } from './kernels-hash.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convbase-kernels-'));
  mkdirSync(join(folder, 'one'));
  put('one/one.wgsl', 'shader');
  put('one/choose.ts', 'rules');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/**
 * @param {string} file
 * @param {string} text
 */
function put(file, text) {
  writeFileSync(join(folder, file), text);
}

test.each([
  ['a shader', 'one/one.wgsl'],
  ['a rule', 'one/choose.ts'],
  ['a new file', 'one/candidates.ts'],
  ['what all share', 'grid.ts'],
])('changes with %s', (_what, file) => {
  const before = hashKernels(folder, '1.0.0');
  put(file, 'other');
  expect(hashKernels(folder, '1.0.0')).not.toBe(before);
});

test('changes with the version and with nothing that runs in no model', () => {
  const before = hashKernels(folder, '1.0.0');
  expect(before).toMatch(/^[0-9a-f]{16}$/);
  expect(hashKernels(folder, '1.0.1')).not.toBe(before);
  for (const file of [
    'one.test.ts',
    'reference.ts',
    'ladder.ts',
    'README.md',
    '../ladders.ts',
    '../testing.ts',
  ])
    put(`one/${file}`, 'new');
  put('one/choose.ts', 'rules');
  expect(hashKernels(folder, '1.0.0')).toBe(before);
  put('one/one.wgsl', 'one\r\ntwo');
  const dos = hashKernels(folder, '1.0.0');
  put('one/one.wgsl', 'one\ntwo');
  expect(hashKernels(folder, '1.0.0')).toBe(dos);
});
