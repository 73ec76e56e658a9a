import { ConvbaseError } from '@convbase/base';

/** A size given once for both directions or as `[height, width]`. */
export type PairLike = number | readonly [number, number] | readonly number[];

/** Both numbers of a pair; throws `layer/option` unless they are whole numbers of at least `minimum`. */
export function pair(value: PairLike, what: string, minimum = 1): readonly [number, number] {
  const [first, second, ...more] = typeof value === 'number' ? [value, value] : value;
  if (first === undefined || second === undefined || more.length > 0) {
    throw new ConvbaseError('layer/option', `${what} takes one number or two, not ${JSON.stringify(value)}`);
  }
  for (const number of [first, second]) {
    if (!Number.isInteger(number) || number < minimum) {
      throw new ConvbaseError(
        'layer/option',
        `${what} takes whole numbers from ${minimum}, not ${JSON.stringify(value)}`,
      );
    }
  }
  return [first, second];
}

export type Padding = 'same' | 'valid';

/** Checks a padding mode that may come from a file. Throws `layer/option`. */
export function paddingFrom(value: string, what: string): Padding {
  const lower = value.toLowerCase();
  if (lower === 'same' || lower === 'valid') return lower;
  throw new ConvbaseError('layer/option', `${what} is 'same' or 'valid', not '${value}'`);
}
