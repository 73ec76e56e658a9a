import { subset, type PictureSet } from '../picture/picture-set.ts';

/**
 * `count` of a set's pictures in the set's order, each class with the same number as far as it has them; the first
 * ones of each class.
 */
export function takeEvenly(set: PictureSet, count: number): PictureSet {
  if (count >= set.length) return set;
  const byClass = new Map<number, number[]>();
  for (let index = 0; index < set.length; index++) {
    const members = byClass.get(set.label(index));
    if (members) members.push(index);
    else byClass.set(set.label(index), [index]);
  }
  const taken: number[] = [];
  for (let round = 0; taken.length < count; round++) {
    for (const members of byClass.values()) {
      const index = members[round];
      if (index !== undefined && taken.length < count) taken.push(index);
    }
  }
  return subset(
    set,
    taken.sort((a, b) => a - b),
  );
}
