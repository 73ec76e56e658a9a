import { RuleTester } from 'eslint';
import { describe, expect, it } from 'vitest';
import { checkImport, layering } from './layering.js';

describe('checkImport', () => {
  it.each([
    ['packages/layers/src/a.ts', '@convbase/core-gpu'],
    ['packages/cli/src/a.ts', '@convbase/models'],
    ['packages/cli/src/a.ts', '@convbase/base/node'],
    ['packages/data/src/a.ts', 'sharp'],
    ['packages/core-gpu/src/platform/node.ts', 'webgpu'],
    ['packages/core-gpu/src/platform/node.ts', '@convbase/driver'],
    ['packages/driver/src/install.ts', 'node:fs/promises'],
    ['packages/core-gpu/src/device/gpu.test.ts', 'node:fs'],
    ['packages/models/src/platform/node.ts', '@convbase/data'],
    ['packages/layers/src/ops/a.ts', '../tensor/tensor.ts'],
  ])('%s may import %s', (file, source) => {
    expect(checkImport(file, source)).toBeUndefined();
  });

  it.each([
    ['packages/core-gpu/src/a.ts', '@convbase/layers', 'downward'],
    ['packages/data/src/a.ts', '@convbase/core-gpu', 'downward'],
    ['packages/base/src/a.ts', '@convbase/data', 'downward'],
    ['packages/models/src/a.ts', '@convbase/data', 'downward'],
    ['packages/models/src/a.test.ts', '@convbase/cli', 'downward'],
    ['packages/layers/src/a.ts', '@convbase/core-gpu/dist/device/gpu.js', 'public face'],
    ['packages/layers/src/a.ts', '@convbase/base/node', 'Node only'],
    ['packages/layers/src/a.ts', 'node:fs', 'Node only'],
    ['packages/layers/src/a.ts', 'fs', 'Node only'],
    ['packages/models/src/a.ts', 'sharp', 'Node only'],
    ['packages/core-gpu/src/device/open.ts', '@convbase/driver', 'Node only'],
    ['packages/core-gpu/src/device/open.ts', '../platform/node.ts', 'Node only'],
    ['packages/layers/src/a.ts', '../../core-gpu/src/index.ts', 'leaves the package'],
  ])('%s may not import %s', (file, source, reason) => {
    expect(checkImport(file, source)).toContain(reason);
  });
});

describe('the rule', () => {
  const tester = new RuleTester();
  const filename = 'packages/core-gpu/src/kernels/a.js';
  /** @param {string} code */
  const bad = (code) => ({ code, filename, errors: [{ messageId: 'layering' }] });
  it('sees every kind of import', () => {
    tester.run('layering', layering, {
      valid: [{ code: "import { ConvbaseError } from '@convbase/base';", filename }],
      invalid: [
        bad("import '@convbase/models';"),
        bad("export * from '@convbase/layers';"),
        bad("export { a } from '@convbase/layers';"),
        bad("const a = await import('@convbase/cli');"),
      ],
    });
  });
});
