import { exitCodeOf, leave, type Cause } from './leave.ts';
import { endLine, sayLine } from './print.ts';

/** Thrown when the process was asked to end, by Ctrl-C or otherwise. Everything that was to be kept has been kept by then. */
export class Interrupted extends Error {
  override name = 'Interrupted';
  readonly exitCode: number;

  constructor(cause: Cause) {
    super('interrupted');
    this.exitCode = exitCodeOf(cause);
  }
}

/** What a job is told of Ctrl-C, and what it says of itself. */
export interface Interruption {
  /** Aborts when the user presses Ctrl-C, or whatever else asks the process to end. */
  readonly signal: AbortSignal;
  /**
   * How long the job may take to put its work away; files are whole at every moment, so cutting it short is safe. A
   * job that has something to save at its next safe place allows itself more than the few seconds that are usual.
   */
  graceMs: number;
}

/**
 * From the first wish to end to the end, of a job that asks for no more time. Five seconds are promised; the rest is for
 * what the program's one thread was in the midst of when the signal came, which it hears of only afterwards.
 */
const USUAL_MS = 3000;
/** What is left of that, at least, for the GPU to finish. */
const LEAVING_MS = 1000;
/** For the same after a second Ctrl-C. */
const AT_ONCE_MS = 500;

let askedAt: number | undefined;
/** Tells the job that is running. */
let stopJob: ((cause: Cause) => void) | undefined;

/**
 * Asks the process to end. A job that is running is told to stop; where there is none, the process ends now.
 */
export function askToEnd(cause: Cause): void {
  askedAt ??= Date.now();
  if (stopJob === undefined) void leave(exitCodeOf(cause), LEAVING_MS);
  else stopJob(cause);
}

/** Ends the process after its command: soon if it has been asked to, else when all is written and done. */
export function leaveAfter(exitCode: number): Promise<never> {
  if (askedAt === undefined) return leave(exitCode);
  return leave(exitCode, Math.max(LEAVING_MS, askedAt + USUAL_MS - Date.now()));
}

/**
 * Runs a job that `askToEnd` asks to stop through an AbortSignal: it ends at the next safe place with its work put away.
 * One that does not in the time it has for that, such as a long computation with nothing to keep, is left to itself. A
 * second Ctrl-C ends the process at once.
 *
 * @throws Interrupted after that, whatever the stopped job stumbled over
 */
export async function interruptible<T>(job: (interruption: Interruption) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interruption: Interruption = { signal: controller.signal, graceMs: USUAL_MS - LEAVING_MS };
  let giveUp: (reason: Interrupted) => void = () => undefined;
  const outOfPatience = new Promise<never>((_resolve, reject) => (giveUp = reject));
  stopJob = (cause) => {
    if (controller.signal.aborted) {
      // A terminal that is closed may say so twice, and what is written to it fails besides: nobody is impatient.
      if (cause === 'SIGINT' || cause === 'SIGTERM') void leave(130, AT_ONCE_MS);
      return;
    }
    if (cause.startsWith('SIG')) {
      endLine(process.stderr);
      sayLine('stopping ... (Ctrl-C again to stop at once)');
    }
    const reason = new Interrupted(cause);
    controller.abort(reason);
    setTimeout(giveUp, interruption.graceMs, reason).unref();
  };
  try {
    const result = await Promise.race([job(interruption), outOfPatience]);
    controller.signal.throwIfAborted();
    return result;
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    stopJob = undefined;
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
