/**
 * Writes src/shaders/generated.ts: the text of every shader in kernels/**\/*.wgsl under its name ('conv2d/forward'), with
 * what it includes (shader-texts.js), so that shaders travel inside the compiled JavaScript and need no file reading in
 * Node, browsers or bundlers.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readShaders } from './shader-texts.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
const entries = Array.from(
  readShaders(join(root, 'kernels')),
  ([name, text]) => `  ${JSON.stringify(name)}: ${JSON.stringify(text)},\n`,
);
const source = `// Generated from kernels/**/*.wgsl by scripts/embed-shaders.js. Do not edit.\nexport const shaderTexts = {\n${entries.join('')}} as const;\n`;

const target = join(root, 'shaders', 'generated.ts');
mkdirSync(dirname(target), { recursive: true });
if (!existsSync(target) || readFileSync(target, 'utf8') !== source) writeFileSync(target, source);
