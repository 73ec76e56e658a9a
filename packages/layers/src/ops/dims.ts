import { ConvbaseError } from '@convbase/base';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The four dimensions of a picture batch or a convolution kernel; any other rank is `op/rank`. */
export function dims4(x: Tensor): readonly [number, number, number, number] {
  const [a, b, c, d, ...more] = x.shape;
  if (a === undefined || b === undefined || c === undefined || d === undefined || more.length > 0) {
    throw new ConvbaseError('op/rank', `four dimensions are needed, not ${formatShape(x.shape)}`);
  }
  return [a, b, c, d];
}

/** The last dimension, and how many rows of that length there are. */
export function rowsAndColumns(x: Tensor): { rows: number; columns: number } {
  const columns = x.shape.at(-1) ?? 1;
  return { rows: columns === 0 ? 0 : x.size / columns, columns };
}
