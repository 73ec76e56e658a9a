import { ConvbaseError } from '@convbase/base';

/** Which layer and which of its options a number was given for. */
export interface OptionOf {
  /** `Dense dense_1` */
  readonly where: string;
  /** `units` */
  readonly option: string;
}

/** The number as it is. Throws `layer/option` unless it is a whole one from `least`. */
export function wholeOption(value: number, of: OptionOf, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw impossible(value, of, `a whole number from ${least}`);
}

/** The number as it is. Throws `layer/option` unless it is between the limits, which count themselves. */
export function numberOption(value: number, of: OptionOf, [low, high] = [-Infinity, Infinity]): number {
  if (Number.isFinite(value) && value >= low && value <= high) return value;
  const from = low === -Infinity ? '' : ` from ${low}`;
  const to = high === Infinity ? '' : ` to ${high}`;
  throw impossible(value, of, `a finite number${from}${to}`);
}

function impossible(value: unknown, { where, option }: OptionOf, wanted: string): ConvbaseError {
  const text = typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value);
  return new ConvbaseError('layer/option', `${option} cannot be ${text}`, { where, fix: `Give ${wanted}.` });
}
