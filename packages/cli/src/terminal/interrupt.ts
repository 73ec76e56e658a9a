import { ConvbaseError } from '@convbase/base';

/** Thrown when the user pressed Ctrl-C. Everything that was to be kept has been kept by then. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/**
 * Runs a job that Ctrl-C (or SIGTERM) asks to stop through an AbortSignal: it ends at the next safe place with
 * its files whole. A second Ctrl-C ends the process at once.
 */
export async function interruptible<T>(job: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write('\nstopping ... (Ctrl-C again to stop at once)\n');
    controller.abort(new Interrupted('interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const result = await job(controller.signal);
    controller.signal.throwIfAborted();
    return result;
  } catch (error) {
    // Whatever an aborted job stumbled over, the reason is the interruption; a real fault is still told.
    if (controller.signal.aborted && !(error instanceof ConvbaseError)) throw controller.signal.reason;
    throw error;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
