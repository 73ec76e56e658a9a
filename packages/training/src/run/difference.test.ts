import { expect, test } from 'vitest';
import { miniRecipe, twoStages } from '../testing/samples.ts';
import { recipeDifference } from './difference.ts';

const { seed: _seed, ...recipe } = miniRecipe(twoStages);

test('saying what is meant anyway makes no other recipe', () => {
  expect(recipeDifference(recipe, { ...recipe, seed: 0, precision: 'float32' })).toBe(undefined);
  expect(recipeDifference({ ...recipe, seed: 0, precision: 'float32' }, recipe)).toBe(undefined);
});

test('another seed or precision does', () => {
  expect(recipeDifference(recipe, { ...recipe, seed: 1 })).toBe('seed was 0, now it is 1');
  expect(recipeDifference({ ...recipe, precision: 'mixed' }, recipe)).toBe(
    'precision was "mixed", now it is "float32"',
  );
});
