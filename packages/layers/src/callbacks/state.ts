import { ConvbaseError } from '@convbase/base';
import type { CallbackState } from '../training/callbacks.ts';

/** Numbers and null as plain data for JSON, which has no NaN and no infinity: as the shortest exact text. */
export function packNumbers(values: Readonly<Record<string, number | null>>): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, value === null ? null : String(value)]),
  );
}

/** The numbers of a state made with `packNumbers`. Throws `state/mismatch` where one is missing. */
export function unpackNumbers({ json }: CallbackState, where: string): (key: string) => number | null {
  return (key) => {
    const value =
      typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[key] : undefined;
    if (value === null) return null;
    const number = typeof value === 'string' ? Number(value) : undefined;
    if (number === undefined || (Number.isNaN(number) && value !== 'NaN')) {
      throw new ConvbaseError('state/mismatch', `the state has no number ${key}`, { where });
    }
    return number;
  };
}
