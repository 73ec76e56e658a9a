/** A stream of uniform numbers in [0, 1), a pure function of its seed (splitmix32). */
export function uniformStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    z ^= z >>> 15;
    return (z >>> 0) / 0x1_0000_0000;
  };
}

/** A stream of standard normal numbers (Box and Muller, 1958). */
export function normalStream(seed: number): () => number {
  const uniform = uniformStream(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A 32-bit seed from a base seed and a name (FNV-1a), so that equally seeded weights still differ from each other. */
export function namedSeed(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * A uniform number in [0, 1) that depends on these whole numbers (a seed, an epoch, a place, ..) and nothing else, so
 * that nothing has to be remembered to draw it again: each one in turn is hashed into the result (`lowbias32`, Chris
 * Wellons, "Prospecting for Hash Functions").
 */
export function uniformAt(...numbers: readonly number[]): number {
  let hash = 0;
  for (const number of numbers) {
    hash = lowbias32((hash ^ lowbias32(Math.floor(number / 2 ** 32) + 0x632be5ab)) >>> 0);
    hash = lowbias32((hash + (number >>> 0) + 0x9e3779b9) >>> 0);
  }
  return hash / 2 ** 32;
}

function lowbias32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
