/** Where the time of one or several loops over batches went, in seconds. */
export interface InputTimes {
  /** From the arrival of the first batch on, the time between loops left out. */
  readonly seconds: number;
  /** The GPU had nothing to do because the next batch was not there. */
  readonly waiting: number;
  /** The GPU had nothing to do though a batch was there: commands were recorded, results written, callbacks awaited. */
  readonly between: number;
  /** Batches that were handed to the GPU. */
  readonly batches: number;
}

/** What a loop over batches could not go faster than. */
export type Bottleneck = 'adapter' | 'input' | 'program';

/** Below this share of the time nobody needs to care what a GPU waits for. */
const NOTABLE = 0.1;

/**
 * Finds out what a loop over batches waits for. `fit`, `evaluate` and `predictBatches` take one; one may be given to
 * several of them, one after the other, and adds up.
 *
 * What counts as waiting is not that the loop asks for a batch, for it does so ahead, but that the GPU has finished
 * everything meanwhile:
 *
 * ```
 * loop   ask ────────── got  record  ask ──────────────── got  record
 * GPU    batch 0 ═══════════════════════════╗  idle      ║    batch 1 ═══
 *                                           └─ waiting ──┘
 * ```
 *
 * The very first batch does not count: nothing can be done while it is made ready.
 */
export class InputMeter {
  readonly #now: () => number;
  #last = 0;
  #started = false;
  #loops = 0;
  #asking = 0;
  #inFlight = 0;
  #seconds = 0;
  #waiting = 0;
  #between = 0;
  #batches = 0;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A loop begins. */
  begin(): void {
    this.#advance();
    this.#loops++;
  }

  /** A loop has got its last batch; what the GPU still does counts. */
  end(): void {
    this.#advance();
    this.#loops--;
  }

  /** Waits for a batch, which is nothing (`done`) at the end of the loop. */
  async batch<T>(next: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> {
    this.#advance();
    this.#asking++;
    try {
      const result = await next;
      this.#advance();
      if (result.done !== true) this.#started = true;
      return result;
    } finally {
      this.#advance();
      this.#asking--;
    }
  }

  /** A batch was handed to the GPU, which is done with it when the promise is. */
  handed(work: Promise<unknown>): void {
    this.#advance();
    this.#inFlight++;
    this.#batches++;
    const done = (): void => {
      this.#advance();
      this.#inFlight--;
    };
    work.then(done, done);
  }

  /** The times so far. */
  times(): InputTimes {
    this.#advance();
    return {
      seconds: this.#seconds / 1000,
      waiting: this.#waiting / 1000,
      between: this.#between / 1000,
      batches: this.#batches,
    };
  }

  #advance(): void {
    const now = this.#now();
    const passed = now - this.#last;
    this.#last = now;
    if (!this.#started || (this.#loops === 0 && this.#inFlight === 0)) return;
    this.#seconds += passed;
    if (this.#inFlight > 0) return;
    if (this.#asking > 0) this.#waiting += passed;
    else this.#between += passed;
  }
}

/**
 * The bottleneck, by the share of the time that the GPU had nothing to do: `input` where batches came too slowly,
 * `program` where it was the thread that records commands and handles results, else the `adapter`.
 */
export function bottleneckOf({ seconds, waiting, between }: InputTimes): Bottleneck {
  if (waiting >= between) return waiting >= NOTABLE * seconds && waiting > 0 ? 'input' : 'adapter';
  return between >= NOTABLE * seconds ? 'program' : 'adapter';
}
