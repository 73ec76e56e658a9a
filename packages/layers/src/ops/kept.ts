import type { KernelTarget } from '@convbase/core-gpu';

/** Things kept for one adapter; a program with ever new shapes starts over when there are so many. */
const MOST = 10_000;

/**
 * What an op works out from numbers alone (its shape, its plans), made once for each adapter and shape and used again in
 * every step: JavaScript has no more to do then than to look it up, and the commands of a plan that is recorded again
 * find their pipelines and bind groups by identity.
 */
export class Kept<T> {
  readonly #byTarget = new WeakMap<KernelTarget, Map<string, T>>();

  /** @param key says everything that `make` depends on, besides the target */
  get(target: KernelTarget, key: string, make: () => T): T {
    let known = this.#byTarget.get(target);
    if (known === undefined) this.#byTarget.set(target, (known = new Map<string, T>()));
    let value = known.get(key);
    if (value === undefined) {
      value = make();
      if (known.size >= MOST) known.clear();
      known.set(key, value);
    }
    return value;
  }
}

/** What `make` gives, worked out when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}
