import { basename, join } from 'node:path';
import { ConvbaseError } from '../errors.ts';
import { homeFolder } from './cache-folder.ts';
import { systemCode } from './file-error.ts';
import { isFolder } from './file-operations.ts';
import { runProgram, type ProgramRun } from './run-program.ts';

/**
 * Runs the user's own npm (so with their registry, proxy and credentials) in `folder`.
 *
 * The npm that is running us is preferred; otherwise `npm` from the PATH. On Windows that is a batch file, which needs
 * a shell: arguments must therefore be free of anything a shell would read, and are checked for it here.
 *
 * @throws ConvbaseError `npm/missing`, `npm/argument`; the signal's reason, when npm has ended
 */
export async function runNpm(
  args: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<ProgramRun> {
  for (const arg of args) {
    if (!/^[\w@./:=+-]+$/.test(arg))
      throw new ConvbaseError('npm/argument', `not fit for a command line: ${arg}`);
  }
  const npmCli = process.env['npm_execpath'];
  const ownNpm = npmCli !== undefined && basename(npmCli) === 'npm-cli.js';
  const windows = process.platform === 'win32';
  const [command, first] = ownNpm ? [process.execPath, [npmCli]] : [windows ? 'npm.cmd' : 'npm', []];
  try {
    return await runProgram(command, [...first, ...args], {
      cwd: folder,
      env: { ...cleanEnvironment(), ...(await cacheSetting(folder)) },
      shell: windows && !ownNpm,
      signal,
    });
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? npmMissing(error) : error;
  }
}

/** Under `npm run -w ..` or `npm run --silent` the outer npm's settings would otherwise reach the inner one. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const outer = /^npm_config_(workspaces?|include_workspace_root|global|dry_run|json|loglevel)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !outer.test(key)));
}

/**
 * Where npm has no home folder to keep its own cache in, it gets one that goes with `folder`: below /proc it would try to
 * make one for ever (https://github.com/nodejs/node/issues/42808).
 */
async function cacheSetting(folder: string): Promise<NodeJS.ProcessEnv> {
  const home = homeFolder();
  const isUsable = home !== undefined && (await isFolder(home).catch(() => false));
  return isUsable || process.env['npm_config_cache'] ? {} : { npm_config_cache: join(folder, 'npm-cache') };
}

function npmMissing(cause: unknown): ConvbaseError {
  return new ConvbaseError('npm/missing', 'the command npm was not found', {
    fix: 'Install Node.js together with npm (https://nodejs.org), or put the folder of npm into the PATH.',
    cause,
  });
}
