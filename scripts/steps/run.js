import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The repository's root folder. */
export const root = join(import.meta.dirname, '../..');

/** npm and what it installs are scripts on Windows, which only a shell can start. */
const shell = process.platform === 'win32';

/** What Dawn and the Vulkan loader print on every healthy start. */
const noise =
  /Warning: maxDynamic(Uniform|Storage)BuffersPerPipelineLayout artificially reduced|error: XDG_RUNTIME_DIR/;

/**
 * Runs a command in the repository and shows its output, without the noise of native code.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<number>} its exit code
 */
export function run(command, args, options = {}) {
  const colours = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const env = { TURBO_TELEMETRY_DISABLED: '1', ...colours, ...process.env, ...options.env };
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env,
    shell,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  filter(child.stdout, process.stdout);
  filter(child.stderr, process.stderr);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/**
 * Passes lines on, without the noise of native code.
 *
 * @param {import('node:stream').Readable | null} from
 * @param {import('node:stream').Writable} to
 */
export function filter(from, to) {
  if (from === null) return;
  createInterface({ input: from }).on('line', (line) => {
    if (!noise.test(line)) to.write(`${line}\n`);
  });
}

/**
 * Runs a command that must succeed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 */
export async function must(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) throw new StepFailed(`${command} ${args.join(' ')} failed with exit code ${code}`);
}

/** A step that failed and has already said why. */
export class StepFailed extends Error {}

/**
 * The command line of a tool that npm installed, run with this very Node.
 *
 * @param {string} path its script below node_modules
 * @returns {string}
 */
export function tool(path) {
  return join(root, 'node_modules', path);
}

/**
 * Runs a command that talks to the user itself (progress bars, Ctrl-C) and must succeed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
export function interactive(command, args) {
  // A terminal is handed on as it is: in one, the command keeps the noise back by itself.
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['inherit', 'inherit', process.stderr.isTTY ? 'inherit' : 'pipe'],
  });
  filter(child.stderr, process.stderr);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new StepFailed(`the command above failed with exit code ${code ?? 'none'}`));
    });
  });
}
