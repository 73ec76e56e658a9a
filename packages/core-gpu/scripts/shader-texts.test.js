import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readShaders } from './shader-texts.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convbase-shaders-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** @param {Record<string, string>} files */
function shaders(files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return Object.fromEntries(readShaders(folder));
}

const main = '@compute @workgroup_size(1)\nfn main() {}\n';

test('a part stands where it is included, found from the file that includes it', () => {
  const texts = shaders({
    'a/one.wgsl': `// One.\n// #include "params.wgsl"\n\n${main}`,
    'a/params.wgsl': '// Params.\r\nstruct Params {}\r\n// #include "../shared/f.wgsl"\r\n',
    'shared/f.wgsl': 'fn f() {}\n',
    'b/two.wgsl': `// #include "../shared/f.wgsl"\n${main}`,
  });
  expect(texts).toEqual({
    'a/one': `// One.\n// Params.\nstruct Params {}\nfn f() {}\n\n${main}`,
    'b/two': `fn f() {}\n${main}`,
  });
});

test('what is included twice stands there once', () => {
  const texts = shaders({
    'one.wgsl': `// #include "a.wgsl"\n// #include "b.wgsl"\n// #include "a.wgsl"\n${main}`,
    'a.wgsl': '// #include "b.wgsl"\nfn a() { b(); }\n',
    'b.wgsl': 'fn b() {}\n',
  });
  expect(texts['one']).toBe(`fn b() {}\nfn a() { b(); }\n\n\n${main}`);
});

test.each([
  [
    'a file that is not there',
    { 'one.wgsl': `// #include "none.wgsl"\n${main}` },
    /one\.wgsl: there is no none\.wgsl/,
  ],
  ['a file outside', { 'one.wgsl': `// #include "../x.wgsl"\n${main}` }, /there is no \.\.\/x\.wgsl/],
  [
    'a name without quotes',
    { 'one.wgsl': `// #include a.wgsl\n${main}` },
    /write \/\/ #include "file\.wgsl"/,
  ],
  [
    'another shader',
    { 'one.wgsl': `// #include "two.wgsl"\n${main}`, 'two.wgsl': main },
    /two\.wgsl is a shader/,
  ],
  [
    'a part that nothing includes',
    { 'one.wgsl': main, 'lost.wgsl': 'fn f() {}\n' },
    /lost\.wgsl: .*no shader includes it/,
  ],
  [
    'a circle',
    {
      'one.wgsl': `// #include "a.wgsl"\n${main}`,
      'a.wgsl': '// #include "b.wgsl"\n',
      'b.wgsl': '// #include "a.wgsl"\n',
    },
    /a\.wgsl includes b\.wgsl includes a\.wgsl/,
  ],
])('%s is refused', (_what, files, message) => {
  expect(() => shaders(/** @type {Record<string, string>} */ (files))).toThrow(message);
});
