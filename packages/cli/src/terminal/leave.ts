import { closeAllGpus } from '@convbase/core-gpu/node';
import { allWritten } from './print.ts';

/** What asks a process to end before its command is done: a signal, or an output that takes nothing more. */
export type Cause = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'no reader' | 'unwritable';

/** The exit code that goes with it. A reader that has seen enough, as in `convbase ... | head`, is no failure. */
export function exitCodeOf(cause: Cause): number {
  if (cause === 'no reader') return 0;
  return cause === 'unwritable' ? 1 : 130;
}

/**
 * Ends the process: the only place where that is done once a command may run.
 *
 * `process.exit` runs C's `exit`, and what that destroys must not be in use, see `closeAllGpus`. So it waits for the
 * threads of Dawn, of the driver and of Node; for at most `patienceMs` where somebody waits for the end. What then still
 * works, such as a long computation of a software adapter, cannot be stopped but by a signal's own action, which ends a
 * process without running anything of it. Files are whole at every moment.
 */
export async function leave(code: number, patienceMs = Infinity): Promise<never> {
  if (patienceMs === Infinity) {
    await Promise.all([allWritten(process.stdout), allWritten(process.stderr), closeAllGpus()]);
  } else {
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, patienceMs, 'late'));
    // A shell knows an end by SIGINT as exit code 130, and an end by SIGPIPE as what `| head` does to any command.
    if ((await Promise.race([allQuiet(), late])) === 'late') endBy(code === 130 ? 'SIGINT' : 'SIGPIPE');
  }
  // An output may have failed since the command ended, with its last lines, and has set the process's own exit code.
  process.exit(code === 0 ? (process.exitCode ?? 0) : code);
}

/** Resolves when nothing works any more that would hold up `process.exit` or be harmed by it. */
async function allQuiet(): Promise<void> {
  await closeAllGpus();
  // Node's own threads are waited for by `process.exit`, for however long a dead network or disk takes to answer.
  while (process.getActiveResourcesInfo().some((kind) => /^(FSReq|GetAddrInfoReq)/.test(kind))) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Ends the process by a signal's own action, which is back when nobody listens any more. */
function endBy(signal: NodeJS.Signals): void {
  process.on(signal, () => undefined);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
