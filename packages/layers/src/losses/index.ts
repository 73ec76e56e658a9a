import { ConvbaseError } from '@convbase/base';
import { nameOf } from '../tensor/host-array.ts';
import { entryOf, toCamelCase } from '../layers/names.ts';
import {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  SparseCategoricalCrossentropy,
} from './crossentropy.ts';
import { FunctionLoss } from './function-loss.ts';
import type { Loss } from './loss.ts';
import { MeanSquaredError } from './mean-squared-error.ts';
import type { TensorFunction } from './tensor-function.ts';

export {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  SparseCategoricalCrossentropy,
} from './crossentropy.ts';
export { FunctionLoss, type FunctionLossConfig } from './function-loss.ts';
export type { CrossentropyConfig, Loss, SmoothedConfig } from './loss.ts';
export { MeanSquaredError } from './mean-squared-error.ts';
export type { TensorFunction } from './tensor-function.ts';

const byName: Readonly<Record<string, () => Loss>> = {
  binaryCrossentropy: () => new BinaryCrossentropy(),
  categoricalCrossentropy: () => new CategoricalCrossentropy(),
  sparseCategoricalCrossentropy: () => new SparseCategoricalCrossentropy(),
  meanSquaredError: () => new MeanSquaredError(),
  mse: () => new MeanSquaredError(),
};

/** The loss meant by a name in Keras' or our spelling, by a function of tensors, or an object. Throws `loss/unknown`. */
export function lossFrom(like: string | Loss | TensorFunction): Loss {
  if (typeof like === 'function') return new FunctionLoss(like);
  if (typeof like !== 'string') {
    if (typeof (like as Partial<Loss> | null | undefined)?.perSample === 'function') return like;
    throw new ConvbaseError('loss/unknown', `${nameOf(like)} is no loss`, {
      fix: 'Give a name, a function (yTrue, yPred) => .., or an object with perSample.',
    });
  }
  const make = entryOf(byName, toCamelCase(like));
  if (make === undefined) {
    throw new ConvbaseError('loss/unknown', `there is no loss called ${like}`, {
      fix: `Known are ${Object.keys(byName).join(', ')}.`,
    });
  }
  return make();
}
