import type { Recipe } from '../recipe/index.ts';

/** What may change without changing what a run computes. */
const WORDS: readonly (keyof Recipe)[] = ['title', 'source', 'reported'];
/** What a recipe means that does not say these. */
const LEFT_OUT = { seed: 0, precision: 'float32' } satisfies Partial<Recipe>;

/**
 * The first thing that two recipes have different, in words; undefined where they mean the same run. Where the weights
 * lie does not count: their checksum does.
 */
export function recipeDifference(before: Recipe, now: Recipe): string | undefined {
  const computed = (recipe: Recipe): unknown => {
    const rest = Object.entries(recipe).filter(([key]) => !WORDS.includes(key as keyof Recipe));
    const { weights: _weights, ...model } = recipe.model;
    return { ...LEFT_OUT, ...Object.fromEntries(rest), model };
  };
  return difference(computed(before), computed(now), '');
}

function difference(before: unknown, now: unknown, place: string): string | undefined {
  if (isObject(before) && isObject(now)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
      const inside = Array.isArray(before) ? `${place}[${key}]` : place === '' ? key : `${place}.${key}`;
      const found = difference(before[key], now[key], inside);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (before === now) return undefined;
  return `${place} was ${inWords(before)}, now it is ${inWords(now)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function inWords(value: unknown): string {
  return value === undefined ? 'not given' : JSON.stringify(value);
}
