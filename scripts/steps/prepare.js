import { fork } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { filter, must, root, StepFailed } from './run.js';

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

/** Finds an adapter or fetches the software driver, and leads child processes to it. */
async function prepareDriver() {
  const child = fork(join(import.meta.dirname, 'driver.js'), { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
  filter(child.stderr, process.stderr);
  /** @type {import('@convbase/driver').DriverState | undefined} */
  let state;
  child.on('message', (message) => (state = /** @type {typeof state} */ (message)));
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (state === undefined) throw new StepFailed('there is nothing here to run WebGPU on, see above');
  if (state.folder !== undefined) process.env['CONVBASE_DRIVER'] = state.folder;
  console.log(
    state.folder === undefined
      ? 'using the adapter of this system'
      : `using the software driver in ${state.folder}`,
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
