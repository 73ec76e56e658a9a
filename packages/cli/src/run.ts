import { ConvbaseError } from '@convbase/base';
import { systemError } from '@convbase/base/node';
import { CommanderError } from 'commander';
import { createProgram, type Invocation } from './program.ts';
import { interruptible, Interrupted } from './terminal/interrupt.ts';
import { printJson, sayError, sayFault } from './terminal/print.ts';

/**
 * Runs one convbase command line (without `node convbase`) and resolves to its exit code:
 * 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    return await interruptible(async (interruption) => {
      const invocation: Invocation = Object.assign(interruption, { exitCode: 0 });
      await createProgram(invocation).parseAsync([...args], { from: 'user' });
      return invocation.exitCode;
    });
  } catch (caught) {
    const error = systemError(caught);
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interrupted) return error.exitCode;
    if (error instanceof ConvbaseError) {
      if (args.includes('--json')) {
        const { code, message, where, fix } = error;
        printJson({ error: { code, message, where, fix } });
      }
      sayError(error);
      return error.code.startsWith('usage/') ? 2 : 1;
    }
    // Not a state that a user can cause: the stack helps whoever reads the report.
    sayFault(error);
    return 1;
  }
}
