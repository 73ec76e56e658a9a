/**
 * `npm run ladder -- conv2d`: the versions of a kernel, from the naive one to the one in use, checked and timed on this
 * machine's adapter. See packages/bench/src/ladder.
 */
import { join } from 'node:path';
import { prepare } from './steps/prepare.js';
import { interactive, root, StepFailed } from './steps/run.js';

try {
  await prepare();
  await interactive(process.execPath, [
    join(root, 'packages/bench/dist/ladder/main.js'),
    ...process.argv.slice(2),
  ]);
} catch (error) {
  const expected = error instanceof StepFailed || (error instanceof Error && error.name === 'ConvbaseError');
  console.error(expected ? error.message : error);
  process.exitCode = 1;
}
