#!/usr/bin/env node
'use strict';
const { existsSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const { join } = require('node:path');

// Pictures are decoded on libuv's threads: four, unless this is set before their first work. Loading an ES module is
// such work, which is why this one file is none.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

// While modules are being loaded nothing has to be waited for.
let askToEnd = (cause) => process.exit(cause.startsWith('SIG') ? 130 : 0);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => askToEnd(signal));

let unwritable = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    // Nobody reads a pipe, or its terminal is gone.
    if (['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'].includes(error.code)) return askToEnd('no reader');
    if (!unwritable && stream === process.stdout) console.error(`error: stdout: ${error.message}`);
    unwritable = true;
    process.exitCode = 1;
    askToEnd('unwritable');
  });
}

const build = join(__dirname, '../dist/index.js');
if (existsSync(build)) void main();
else {
  console.error('convbase is not built yet. Run `npm run build` in the repository first.');
  process.exitCode = 1;
}

/**
 * Whether too few files may be open. Node says so only of some: a package whose `package.json` cannot be opened for that
 * it calls missing.
 */
function isOpenFiles(error) {
  if (['EMFILE', 'ENFILE'].includes(error.code)) return true;
  // A program needs some two hundred while it is loaded. Systems allow 256 and more.
  return error.code === 'ERR_MODULE_NOT_FOUND' && Number(openFilesLimit()) < 256;
}

/** A number, or `unlimited`; undefined on Windows. */
function openFilesLimit() {
  return process.report.getReport().userLimits?.open_files?.soft;
}

async function main() {
  let cli;
  try {
    cli = await import('../dist/index.js');
  } catch (error) {
    console.error(`error: convbase cannot be loaded: ${error.message.split('\n')[0]}`);
    const fix = isOpenFiles(error)
      ? 'Allow more open files (ulimit -n).'
      : 'Install it again: it is not whole.';
    console.error(`  ${fix}`);
    process.exitCode = 1;
    return;
  }
  askToEnd = cli.askToEnd;
  await cli.leaveAfter(await cli.run(process.argv.slice(2)));
}
