#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const build = new URL('../dist/index.js', import.meta.url);
if (existsSync(fileURLToPath(build))) {
  const { run } = await import(build.href);
  process.exitCode = await run(process.argv.slice(2));
} else {
  console.error('convbase is not built yet. Run `npm run build` in the repository first.');
  process.exitCode = 1;
}
