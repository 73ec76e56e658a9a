#!/usr/bin/env node
'use strict';
const { existsSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const { join } = require('node:path');

// Pictures are decoded on libuv's threads: four, unless this is set before their first work. Loading an ES module is
// such work, which is why this one file is none.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

// A reader that has seen enough, as in `convbase ... | head`, is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

const build = join(__dirname, '../dist/index.js');
if (existsSync(build)) void main();
else {
  console.error('convbase is not built yet. Run `npm run build` in the repository first.');
  process.exitCode = 1;
}

async function main() {
  // Until the command listens itself.
  const interrupted = () => process.exit(130);
  process.on('SIGINT', interrupted);
  const { run } = await import('../dist/index.js');
  const running = run(process.argv.slice(2));
  process.off('SIGINT', interrupted);
  process.exitCode = await running;
  // Whatever still runs after Ctrl-C, such as a long batch on the GPU, does not keep the process.
  setTimeout(() => process.exit(), 500).unref();
}
