import { ConvbaseError, shuffledIndices } from '@convbase/base';
import { type PictureSet, subset } from '../picture/picture-set.ts';

export interface Split {
  readonly train: PictureSet;
  readonly validation: PictureSet;
}

/**
 * Parts a set in two, each class in the same proportion, chosen by `seed` alone. Both parts keep the set's order.
 *
 * Of a class of `n` pictures `round(n * share)` go to `validation`.
 *
 * Error `data/split` if a class would be left without a picture to train on, or `validation` without any.
 */
export function split(set: PictureSet, share: number, seed = 0): Split {
  if (!(share > 0 && share < 1))
    throw new RangeError(`the share for validation must be between 0 and 1, not ${share}`);
  const validation: number[] = [];
  const train: number[] = [];
  set.classNames.forEach((className, label) => {
    const members: number[] = [];
    for (let i = 0; i < set.length; i++) if (set.label(i) === label) members.push(i);
    const taken = Math.round(members.length * share);
    if (members.length > 0 && taken === members.length) {
      throw new ConvbaseError(
        'data/split',
        `no picture of class ${JSON.stringify(className)} is left to train on`,
        {
          fix: `It has ${members.length}. Add some, or take a smaller share than ${share} for validation.`,
        },
      );
    }
    shuffledIndices(members.length, seed, label).forEach((position, rank) => {
      const index = members[position];
      if (index !== undefined) (rank < taken ? validation : train).push(index);
    });
  });
  if (validation.length === 0) {
    throw new ConvbaseError('data/split', `${share} of ${set.length} pictures is none`, {
      fix: 'Add pictures or take a larger share for validation.',
    });
  }
  const ascending = (a: number, b: number) => a - b;
  return { train: subset(set, train.sort(ascending)), validation: subset(set, validation.sort(ascending)) };
}
