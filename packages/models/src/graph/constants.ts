import type { Constant } from '@convbase/layers';
import { z } from 'zod';

/** A constant in a config is a number, or one for each channel. */
const MAX_NUMBERS = 1 << 16;
const MAX_RANK = 8;

/** Nested lists of numbers as shape and values; null where they are no array. */
function arrayOf(value: unknown): Constant | null {
  const shape: number[] = [];
  let level: unknown[] = [value];
  while (Array.isArray(level[0])) {
    const [{ length }] = level as [unknown[]];
    const rows = level.filter((row): row is unknown[] => Array.isArray(row) && row.length === length);
    if (rows.length < level.length || length * rows.length > MAX_NUMBERS || shape.length === MAX_RANK)
      return null;
    shape.push(length);
    level = rows.flat();
  }
  const values = level.filter((number): number is number => typeof number === 'number');
  return values.length === level.length ? { shape, values } : null;
}

const array = z.unknown().transform((value, context): Constant => {
  const constant = arrayOf(value);
  if (constant !== null) return constant;
  context.addIssue('it is no array of numbers');
  return z.NEVER;
});

/** A number, or an array as Keras 3 (`{ class_name: '__tensor__', config: { value } }`) or Keras 2 (nested lists) writes it. */
export const constantValue = z.union([
  z
    .looseObject({
      class_name: z.enum(['__tensor__', '__numpy__']),
      config: z.looseObject({ value: array, dtype: z.literal(['float32', 'float64', 'int32', 'int64']) }),
    })
    .transform(({ config }) => config.value),
  z
    .union([z.number(), z.array(z.unknown())])
    .transform((value): unknown => value)
    .pipe(array),
]);
