import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { expect, it } from 'vitest';
import { root } from '../steps/run.js';

const eslint = new ESLint({ cwd: root });

/**
 * The rules that a file breaks when a line is put in front of it.
 *
 * @param {string} path
 * @param {string} line
 */
async function brokenRules(path, line) {
  const filePath = join(root, path);
  const [result] = await eslint.lintText(`${line}\n${await readFile(filePath, 'utf8')}`, { filePath });
  return result?.messages.map(({ ruleId }) => ruleId) ?? [];
}

it('finds circles of imports', async () => {
  // tensor.ts imports shape.ts.
  expect(await brokenRules('packages/layers/src/tensor/shape.ts', "import './tensor.ts';")).toEqual([
    'import-x/no-cycle',
  ]);
});

it('finds imports that point upward', async () => {
  expect(await brokenRules('packages/layers/src/tensor/shape.ts', "import '@convbase/models';")).toEqual([
    'convbase/layering',
  ]);
});

it('finds any', async () => {
  expect(await brokenRules('packages/base/src/errors.ts', 'export type Anything = any;')).toEqual([
    '@typescript-eslint/no-explicit-any',
  ]);
});
