/**
 * `node scripts/performance.js RESULTS.md...`: puts tables of `npm run bench` (bench-results/results.md) into
 * docs/performance.md, one for each adapter, in place of those that are there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps/run.js';

const begin = '<!-- results: written by scripts/performance.js -->';
const end = '<!-- end of results -->';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node scripts/performance.js bench-results/results.md...');
  process.exit(2);
}
const path = join(root, 'docs/performance.md');
const text = readFileSync(path, 'utf8');
const [before, rest] = text.split(begin);
const after = rest?.split(end)[1];
if (before === undefined || after === undefined) throw new Error(`${path} has no place for results`);
const tables = files.map((file) => readFileSync(file, 'utf8').trim());
writeFileSync(path, `${before}${begin}\n\n${tables.join('\n\n')}\n\n${end}${after}`);
console.log(`${path} written; format it with \`npx prettier --write docs/performance.md\``);
