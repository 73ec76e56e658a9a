import { Random } from './random.ts';

/** The numbers 0 .. `count` - 1 in an order that depends on `seeds` alone (Fisher and Yates, from the end). */
export function shuffledIndices(count: number, ...seeds: readonly number[]): Uint32Array {
  const random = new Random(...seeds);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const value = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = value;
  }
  return order;
}

/** A copy of the items in an order that depends on `seeds` alone. */
export function shuffle<T>(items: readonly T[], ...seeds: readonly number[]): T[] {
  return Array.from(shuffledIndices(items.length, ...seeds), (index) => items[index] as T);
}
