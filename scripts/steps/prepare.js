import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { must, root, StepFailed } from './run.js';

/**
 * Takes a fresh clone to where everything runs: dependencies installed, packages built, a WebGPU adapter in reach of
 * this process and its children.
 *
 * @param {{ only?: string }} [options] build only this package and what it needs
 * @returns {Promise<void>}
 */
export async function prepare({ only } = {}) {
  checkNode();
  await installDependencies();
  await build(only);
  await prepareDriver();
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 11)) return;
  throw new StepFailed(`convbase needs Node 20.11 or newer, this is ${process.version}`);
}

/** `npm ci`, unless what is installed is what the lock file says. */
async function installDependencies() {
  const installed = await modified(join(root, 'node_modules/.package-lock.json'));
  const wanted = await modified(join(root, 'package-lock.json'));
  if (installed !== undefined && wanted !== undefined && installed >= wanted) return;
  console.log('installing dependencies');
  await must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** @param {string | undefined} only */
async function build(only) {
  console.log('building');
  const filter = only === undefined ? [] : [`--filter=./packages/${only}`];
  await must('npx', ['turbo', 'run', 'build', '--output-logs=errors-only', ...filter]);
}

/** Finds an adapter or fetches the software driver; see packages/core-gpu/src/driver. */
async function prepareDriver() {
  const { ensureDriver } = await import('@convbase/core-gpu/node');
  const { source, folder } = await ensureDriver({
    install: true,
    onProgress: (message) => console.log(`software driver: ${message}`),
  });
  console.log(
    source === 'system' ? 'using the adapter of this system' : `using the software driver in ${folder}`,
  );
}

/**
 * When a file was last written.
 *
 * @param {string} path
 * @returns {Promise<number | undefined>} milliseconds; undefined where there is no such file
 */
async function modified(path) {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
