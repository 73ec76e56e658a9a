import { ConvbaseError } from '@convbase/base';
import { runProgram, systemCode, type ProgramOptions } from '@convbase/base/node';

/**
 * Runs a system tool and returns its standard output.
 *
 * @throws ConvbaseError `driver/unavailable` for a tool that is missing, `driver/fetch` with the last words of one that
 *   failed; the signal's reason when aborted
 */
export async function run(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const where = 'software driver';
  const { exitCode, stdout, stderr } = await runProgram(command, args, options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    const missing = systemCode(error) === 'ENOENT';
    const what = missing ? `${command} is not installed` : String(error);
    throw new ConvbaseError(missing ? 'driver/unavailable' : 'driver/fetch', what, { where, cause: error });
  });
  if (exitCode === 0) return stdout;
  const [reason, ...more] = stderr.trim().split('\n').slice(-8);
  const what = `${command} ${args.slice(0, 2).join(' ')} failed: ${reason || `exit code ${String(exitCode)}`}`;
  throw new ConvbaseError('driver/fetch', [what, ...more], {
    where,
    fix: 'Check the network and the mirror in /etc/apt, then run again.',
  });
}
