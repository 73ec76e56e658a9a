import { endLine, sayLine } from './print.ts';

/** Thrown when the user pressed Ctrl-C. Everything that was to be kept has been kept by then. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** What a job is told of Ctrl-C, and what it says of itself. */
export interface Interruption {
  /** Aborts when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
  /**
   * How long the job may take to put its work away; files are whole at every moment, so cutting it short is safe. A
   * job that has something to save at its next safe place allows itself more than the few seconds that are usual.
   */
  graceMs: number;
}

/**
 * Runs a job that Ctrl-C (or SIGTERM) asks to stop through an AbortSignal: it ends at the next safe place with its
 * work put away. One that does not in the time it has for that, such as a long computation with nothing to keep, is
 * left to itself. A second Ctrl-C ends the process at once.
 *
 * @throws Interrupted after a signal, whatever the stopped job stumbled over
 */
export async function interruptible<T>(job: (interruption: Interruption) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interruption: Interruption = { signal: controller.signal, graceMs: 5000 };
  let giveUp: (reason: Interrupted) => void = () => undefined;
  const outOfPatience = new Promise<never>((_resolve, reject) => (giveUp = reject));
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    endLine(process.stderr);
    sayLine('stopping ... (Ctrl-C again to stop at once)');
    const reason = new Interrupted('interrupted');
    controller.abort(reason);
    setTimeout(giveUp, interruption.graceMs, reason).unref();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const result = await Promise.race([job(interruption), outOfPatience]);
    controller.signal.throwIfAborted();
    return result;
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/**
 * Waits for work that knows no AbortSignal, but no longer than until the user stops it. The work itself goes on
 * unheeded.
 */
export async function untilStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => {
      reject(signal.reason as Interrupted);
    };
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([stopped, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
