/**
 * Writes src/shaders/generated.ts: the text of every shader in kernels/**\/*.wgsl under its name ('conv2d/forward'), with
 * what it includes (shader-texts.js), so that shaders travel inside the compiled JavaScript and need no file reading in
 * Node, browsers or bundlers. With it a hash of the kernels (kernels-hash.js), for what is kept of them between runs.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashKernels } from './kernels-hash.js';
import { readShaders } from './shader-texts.js';

const home = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(home, 'src');
const kernels = join(root, 'kernels');
const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
const entries = Array.from(
  readShaders(kernels),
  ([name, text]) => `  ${JSON.stringify(name)}: ${JSON.stringify(text)},\n`,
);
const source = [
  '// Generated from kernels/** by scripts/embed-shaders.js. Do not edit.\n',
  '/** Of all shaders and the TypeScript that chooses and plans them, and of the version. */\n',
  `export const kernelsHash: string = '${hashKernels(kernels, version)}';\n\n`,
  `export const shaderTexts = {\n${entries.join('')}} as const;\n`,
].join('');

const target = join(root, 'shaders', 'generated.ts');
mkdirSync(dirname(target), { recursive: true });
if (!existsSync(target) || readFileSync(target, 'utf8') !== source) writeFileSync(target, source);
