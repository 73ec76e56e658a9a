import { fork, type ChildProcess } from 'node:child_process';
import type { Order, Reply, Task } from '../protocol.ts';

/** How many characters of what a process wrote on its error output are kept for its error. */
const LAST_WORDS = 2000;
/** How long the end of a process may take to be heard of when it cannot be written to any more. */
const GRACE_MS = 1000;

/** A contender's process. */
export class Child {
  readonly #process: ChildProcess;
  #lastWords = '';
  /** Why it cannot be talked to, though it may not have ended. */
  #broken: string | undefined;
  #onBroken: ((why: string) => void) | undefined;

  /** Starts the program; `environment` is added to this process' own. */
  constructor(file: string, task: Task, environment: Readonly<Record<string, string>> = {}) {
    this.#process = fork(file, [JSON.stringify(task)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, ...environment },
    });
    this.#process.on('error', (error) => {
      this.#break(error);
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
    });
  }

  /** Sends an order and waits for the answer. */
  ask(order: Order, limitMs: number): Promise<Reply> {
    const answer = this.next(limitMs);
    this.#process.send(order, (error) => {
      // How it ended says more, where it did.
      if (error !== null) setTimeout(() => this.#break(error), GRACE_MS).unref();
    });
    return answer;
  }

  #break(error: Error): void {
    this.#broken ??= error.message;
    this.#onBroken?.(this.#broken);
  }

  /** The next message. The death of the process and silence for `limitMs` come as `failed`. */
  next(limitMs: number): Promise<Reply> {
    return new Promise((resolve) => {
      const settle = (reply: Reply): void => {
        clearTimeout(timer);
        this.#process.off('exit', onExit);
        this.#process.off('message', onMessage);
        this.#onBroken = undefined;
        resolve(reply);
      };
      const failed = (message: string): void => {
        settle({ kind: 'failed', unsupported: false, message });
      };
      const onMessage = (message: unknown): void => {
        settle(message as Reply);
      };
      const onExit = (code: number | null, signal: string | null): void => {
        const how = signal ?? `exit code ${String(code)}`;
        // What it wrote may still be on its way.
        setImmediate(() => {
          failed([`the process ended with ${how}`, lastLine(this.#lastWords)].filter(Boolean).join(': '));
        });
      };
      const timer = setTimeout(() => {
        failed(`no answer within ${Math.round(limitMs / 1000)} s`);
      }, limitMs);
      this.#process.once('exit', onExit);
      this.#process.once('message', onMessage);
      this.#onBroken = failed;
      if (this.#broken !== undefined) failed(this.#broken);
      else if (this.#process.exitCode !== null || this.#process.signalCode !== null)
        onExit(this.#process.exitCode, this.#process.signalCode);
    });
  }

  /** Ends the process and waits until it is gone. */
  async end(): Promise<void> {
    // It never started, and so never ends.
    if (this.#process.pid === undefined) return;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
  }
}

/** The line of a text that says most: one with an error in it, else the last. */
function lastLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.findLast((line) => /error|abort|assert|fatal/i.test(line)) ?? lines.at(-1) ?? '';
}
