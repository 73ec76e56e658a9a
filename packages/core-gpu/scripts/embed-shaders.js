/**
 * Writes src/shaders/generated.ts: the text of every kernels/**\/*.wgsl under its name ('conv2d/forward'), so
 * that shaders travel inside the compiled JavaScript and need no file reading in Node, browsers or bundlers.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
const kernels = join(root, 'kernels');
const names = readdirSync(kernels, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.wgsl'))
  .map((file) => file.replaceAll('\\', '/').slice(0, -'.wgsl'.length))
  .sort();

const entries = names.map((name) => {
  const text = readFileSync(join(kernels, `${name}.wgsl`), 'utf8').replaceAll('\r\n', '\n');
  return `  ${JSON.stringify(name)}: ${JSON.stringify(text)},\n`;
});
const source = `// Generated from kernels/**/*.wgsl by scripts/embed-shaders.js. Do not edit.\nexport const shaderTexts = {\n${entries.join('')}} as const;\n`;

const target = join(root, 'shaders', 'generated.ts');
mkdirSync(dirname(target), { recursive: true });
if (!existsSync(target) || readFileSync(target, 'utf8') !== source) writeFileSync(target, source);
