import { ConvbaseError } from '@convbase/base';
import type { InputMeter } from './input-meter.ts';

/** How many batches may wait for the GPU before the next one is prepared. */
const inFlight = 2;

/**
 * Iterates with one element of lookahead: while a batch is being worked on, the next is already being made. Stops the
 * source when the consumer stops, and throws `run/aborted` when the signal says so. The meter is told of every wait.
 */
export async function* lookahead<T>(
  source: AsyncIterable<T> | Iterable<T>,
  signal?: AbortSignal,
  meter?: InputMeter,
): AsyncGenerator<T> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const advance = (): Promise<IteratorResult<T>> => {
    const next = Promise.resolve(iterator.next());
    // Its error is thrown when its turn comes; until then it must not count as unhandled.
    next.catch(() => undefined);
    return next;
  };
  meter?.begin();
  let next = advance();
  try {
    for (;;) {
      throwIfAborted(signal);
      const result = await (meter === undefined ? next : meter.batch(next));
      if (result.done === true) return;
      next = advance();
      yield result.value;
    }
  } finally {
    meter?.end();
    await iterator.return?.();
  }
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new ConvbaseError('run/aborted', 'stopped before the end', { cause: signal.reason });
  }
}

/** Lets the CPU run a little ahead of the GPU, but not without bound. */
export class Pace {
  readonly #meter: InputMeter | undefined;
  #pending: Promise<unknown>[] = [];

  constructor(meter?: InputMeter) {
    this.#meter = meter;
  }

  /** Waits until at most a few earlier submissions are unfinished, then counts this one. */
  async add(submission: Promise<unknown>): Promise<void> {
    submission.catch(() => undefined); // reported when it is waited for
    this.#meter?.handed(submission);
    this.#pending.push(submission);
    if (this.#pending.length > inFlight) await this.#pending.shift();
  }

  async drain(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    await Promise.all(pending);
  }
}
