/**
 * A seeded generator of uniform 32-bit numbers, the same on every machine: xoshiro128** 1.1 (Blackman and Vigna,
 * prng.di.unimi.it), its state filled from the seed by SplitMix32 (`lowbias32` of a Weyl sequence).
 */
export class Random {
  readonly #state: Uint32Array;

  /** @param seeds any integers, such as a seed and the number of the epoch; each one changes the whole sequence */
  constructor(...seeds: readonly number[]) {
    let mixed = 0;
    for (const seed of seeds) {
      if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed must be an integer, not ${seed}`);
      mixed = lowbias32(mixed ^ lowbias32(Math.floor(seed / 2 ** 32)));
      mixed = lowbias32((mixed + (seed >>> 0) + 0x9e3779b9) >>> 0);
    }
    this.#state = Uint32Array.from({ length: 4 }, (_, i) => lowbias32((mixed + 0x9e3779b9 * (i + 1)) >>> 0));
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }

  /** For tests: starts from a given state. */
  static fromState(state: readonly [number, number, number, number]): Random {
    const random = new Random(0);
    random.#state.set(state);
    return random;
  }

  /** The next number of 0 .. 2^32 - 1. */
  next(): number {
    const state = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const c1 = c ^ a;
    const d1 = d ^ b;
    state[1] = b ^ c1;
    state[0] = a ^ d1;
    state[2] = c1 ^ (b << 9);
    state[3] = rotate(d1, 11);
    return result;
  }

  /** A number of 0 .. `limit` - 1, each exactly as likely as the others. */
  below(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32)
      throw new RangeError(`no numbers below ${limit}`);
    const fair = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const value = this.next();
      if (value < fair) return value % limit;
    }
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function lowbias32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
