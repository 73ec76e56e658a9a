#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// A reader that has seen enough, as in `convbase ... | head`, is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

const build = new URL('../dist/index.js', import.meta.url);
if (existsSync(fileURLToPath(build))) {
  // Until the command listens itself.
  const interrupted = () => process.exit(130);
  process.on('SIGINT', interrupted);
  const { run } = await import(build.href);
  const running = run(process.argv.slice(2));
  process.off('SIGINT', interrupted);
  process.exitCode = await running;
  // Whatever still runs after Ctrl-C, such as a long batch on the GPU, does not keep the process.
  setTimeout(() => process.exit(), 500).unref();
} else {
  console.error('convbase is not built yet. Run `npm run build` in the repository first.');
  process.exitCode = 1;
}
