import { ConvbaseError } from '@convbase/base';

/** Keras' factors: one number for both directions, or the lower and the upper limit. */
export type Factor = number | readonly [number, number];

export type Limits = readonly [lower: number, upper: number];

/**
 * The limits that one factor of `BaseImagePreprocessingLayer` stands for: f gives -f to f, but never below the lowest
 * allowed. Throws `layer/factor`.
 */
export function limitsWithin(factor: Factor, [least, most]: Limits, where: string): Limits {
  if (typeof factor === 'number') {
    check(factor >= least && factor <= most);
    return [Math.max(-Math.abs(factor), least), Math.abs(factor)];
  }
  const [first, second] = factor;
  check(isPair(factor) && first <= most && second >= least);
  return sorted(factor);

  function check(right: boolean): void {
    if (!right) fail(factor, `a number of [${least}, ${most}], or two`, where);
  }
}

/** The limits of RandomZoom's and RandomTranslation's factors, each from -1 to 1. Throws `layer/factor`. */
export function symmetricLimits(factor: Factor, where: string, { above }: { above?: number } = {}): Limits {
  const numbers = typeof factor === 'number' ? [factor] : factor;
  const right =
    (typeof factor === 'number' || isPair(factor)) && numbers.every((f) => f >= -1 && f <= 1 && f !== above);
  if (!right) fail(factor, `a number of ${above === -1 ? '(' : '['}-1, 1], or two`, where);
  return typeof factor === 'number' ? [-Math.abs(factor), Math.abs(factor)] : sorted(factor);
}

/** Low and high, in this order. Throws `layer/range`. */
export function valueRangeOf(range: readonly [number, number], where: string): Limits {
  if (!isPair(range) || !range.every(Number.isFinite)) {
    throw new ConvbaseError('layer/range', `${JSON.stringify(range)} is no range of values`, {
      where,
      fix: 'Give the lowest and the highest value that pictures have, [0, 255] or [0, 1].',
    });
  }
  return sorted(range);
}

/** Whether there are two numbers indeed, where the type's word may come from a file. */
function isPair(numbers: readonly number[]): boolean {
  return numbers.length === 2;
}

function sorted([a, b]: readonly [number, number]): Limits {
  return a <= b ? [a, b] : [b, a];
}

function fail(factor: Factor, wanted: string, where: string): never {
  throw new ConvbaseError('layer/factor', `a factor of ${JSON.stringify(factor)} is not possible`, {
    where,
    fix: `Give ${wanted}.`,
  });
}
