/**
 * `npm run bench [-- OPTIONS]`: `convbase bench`, networks, training and convolutions beside TensorFlow.js and ONNX
 * Runtime. `npm run ladder -- conv2d`: the versions of a kernel, from the naive one to the one in use
 * (packages/bench/src/ladder). Both on this machine's adapter.
 */
import { join } from 'node:path';
import { prepare } from './steps/prepare.js';
import { interactive, root, StepFailed } from './steps/run.js';

const [what, ...args] = process.argv.slice(2);
const program =
  what === 'ladder'
    ? [join(root, 'packages/bench/dist/ladder/main.js')]
    : [join(root, 'packages/cli/bin/convbase.js'), 'bench'];

try {
  await prepare();
  await interactive(process.execPath, [...program, ...args]);
} catch (error) {
  const expected = error instanceof StepFailed || (error instanceof Error && error.name === 'ConvbaseError');
  console.error(expected ? error.message : error);
  process.exitCode = 1;
}
