/**
 * `npm run bench`: whole networks, timed beside TensorFlow.js (packages/bench/src/forward). `npm run ladder -- conv2d`:
 * the versions of a kernel, from the naive one to the one in use (packages/bench/src/ladder). Both on this machine's
 * adapter.
 */
import { join } from 'node:path';
import { prepare } from './steps/prepare.js';
import { interactive, root, StepFailed } from './steps/run.js';

const [what = 'forward', ...args] = process.argv.slice(2);

try {
  await prepare();
  await interactive(process.execPath, [join(root, 'packages/bench/dist', what, 'main.js'), ...args]);
} catch (error) {
  const expected = error instanceof StepFailed || (error instanceof Error && error.name === 'ConvbaseError');
  console.error(expected ? error.message : error);
  process.exitCode = 1;
}
