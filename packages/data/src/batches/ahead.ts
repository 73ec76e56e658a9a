export interface AheadOptions {
  /** How many results may wait or be under way; bounds the memory. */
  readonly ahead: number;
  /** How many may be under way at once. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
}

/** What batches that wait for the reader may take, and how many there may be of them. */
const WAITING = { bytes: 2 ** 28, most: 8 };

/** How many batches of so many bytes are made ready ahead of the reader: as many as memory allows, one at least. */
export function batchesAhead(batchBytes: number): number {
  return Math.max(1, Math.min(WAITING.most, Math.floor(WAITING.bytes / batchBytes)));
}

type Outcome<R> = { readonly value: R } | { readonly error: unknown };

/**
 * Calls `load(0)` .. `load(count - 1)` ahead of the reader and yields the results in order.
 *
 * Errors come out in order too. When the reader stops early, or `signal` aborts, nothing new is begun, and the
 * generator ends only when nothing is under way any more.
 */
export async function* loadAhead<R>(
  count: number,
  load: (position: number) => Promise<R>,
  { ahead, concurrency, signal }: AheadOptions,
): AsyncGenerator<R, void, undefined> {
  const begun = new Map<number, Promise<Outcome<R>>>();
  let next = 0;
  let running = 0;
  let read = 0;
  let stopped = false;

  const begin = async (position: number): Promise<Outcome<R>> => {
    running++;
    try {
      return { value: await load(position) };
    } catch (error) {
      return { error };
    } finally {
      running--;
      fill();
    }
  };
  const fill = (): void => {
    while (!stopped && running < concurrency && next < count && next < read + ahead) {
      begun.set(next, begin(next));
      next++;
    }
  };

  try {
    for (; read < count; read++) {
      signal?.throwIfAborted();
      fill();
      const outcome = await begun.get(read);
      signal?.throwIfAborted();
      begun.delete(read);
      if (outcome === undefined) throw new Error(`position ${read} was never begun`);
      if ('error' in outcome) throw outcome.error;
      yield outcome.value;
    }
  } finally {
    stopped = true;
    await Promise.all(begun.values());
  }
}
