import type { KernelTarget } from '@convbase/core-gpu';

/** Plans kept for one adapter; a program with ever new shapes starts over when there are so many. */
const MAX_PLANS = 10_000;

/** What a field of a call may be: all of it goes into the key. */
type Field = number | boolean | string | undefined | readonly number[];

/**
 * What an op works out from numbers alone (its shape, its plans), made once for each adapter and call and used again in
 * every step. JavaScript has no more to do then than to look it up, and the commands of a plan that is recorded again
 * find their pipelines and bind groups by identity.
 *
 * The key is made of all fields of the call, and `make` sees nothing but the call and the target: so plans cannot depend
 * on anything that the key does not have.
 */
export class PlanCache<Call extends Readonly<Record<keyof Call, Field>>, Plans> {
  readonly #make: (call: Call, target: KernelTarget) => Plans;
  readonly #byTarget = new WeakMap<KernelTarget, Map<string, Plans>>();

  /** @param make a function of its arguments alone */
  constructor(make: (call: Call, target: KernelTarget) => Plans) {
    this.#make = make;
  }

  get(call: Call, target: KernelTarget): Plans {
    let known = this.#byTarget.get(target);
    if (known === undefined) this.#byTarget.set(target, (known = new Map<string, Plans>()));
    const key = keyOf(call);
    let plans = known.get(key);
    if (plans === undefined) {
      plans = this.#make(call, target);
      if (known.size >= MAX_PLANS) known.clear();
      known.set(key, plans);
    }
    return plans;
  }
}

/** Names and values of all fields, in the order in which the object has them. */
function keyOf(call: Readonly<Record<string, Field>>): string {
  let key = '';
  for (const name of Object.keys(call)) key += `${name}=${String(call[name])};`;
  return key;
}

/** What `make` gives, worked out when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}
