import { ConvbaseError } from '@convbase/base';
import { entryOf, toCamelCase } from '../layers/names.ts';
import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  SparseCategoricalCrossentropy,
} from './crossentropy.ts';
import type { Loss } from './loss.ts';
import { MeanSquaredError } from './mean-squared-error.ts';

export {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  SparseCategoricalCrossentropy,
} from './crossentropy.ts';
export type { CrossentropyConfig, Loss, SmoothedConfig } from './loss.ts';
export { MeanSquaredError } from './mean-squared-error.ts';

const byName: Readonly<Record<string, () => Loss>> = {
  binaryCrossentropy: () => new BinaryCrossentropy(),
  categoricalCrossentropy: () => new CategoricalCrossentropy(),
  sparseCategoricalCrossentropy: () => new SparseCategoricalCrossentropy(),
  meanSquaredError: () => new MeanSquaredError(),
  mse: () => new MeanSquaredError(),
};

/** The loss meant by a name in Keras' or our spelling, or an object. Throws `loss/unknown`. */
export function lossFrom(like: string | Loss): Loss {
  if (typeof like !== 'string') return like;
  const make = entryOf(byName, toCamelCase(like));
  if (make === undefined) {
    throw new ConvbaseError('loss/unknown', `there is no loss called ${like}`, {
      fix: `Known are ${Object.keys(byName).join(', ')}.`,
    });
  }
  return make();
}
