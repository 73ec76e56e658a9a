import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { ConvbaseError } from '@convbase/base';
import { damage, damages } from '../../../base/src/testing/damage.ts';
import { damagedJson, jsonDamages } from '../../../base/src/testing/damaged-json.ts';
import { endsWell, fuzz } from '../../../base/src/testing/fuzz.ts';
import { parseRecipe } from './parse.ts';

const text = readFileSync(new URL('../../recipes/catsdogs-vgg16-finetune-150.yaml', import.meta.url), 'utf8');
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('a recipe of which bytes are damaged', async () => {
  const bytes = new TextEncoder().encode(text);
  await fuzz(damages, 300, async (list) => {
    await endsWell(() => parseRecipe(decode(damage(bytes, list)), 'recipe'));
  });
  await fuzz(fc.string({ maxLength: 500 }), 300, async (noise) => {
    expect(await endsWell(() => parseRecipe(noise, 'recipe'))).toBeInstanceOf(ConvbaseError);
  });
});

test('a recipe of which values are damaged', async () => {
  const recipe: unknown = parse(text);
  await fuzz(jsonDamages, 300, async (list) => {
    const damaged = damagedJson(recipe, list);
    if (damaged.includes('[[[[[[')) return;
    await endsWell(() => parseRecipe(stringify(JSON.parse(damaged)), 'recipe'));
    await endsWell(() => parseRecipe(damaged, 'recipe'));
  });
});

test('aliases of aliases, lists in lists', async () => {
  const aliases = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`);
  const laughs = ['a0: &a0 [ha, ha]', ...aliases].join('\n');
  expect(await endsWell(() => parseRecipe(laughs, 'recipe'))).toMatchObject({ code: 'recipe/yaml' });
  for (const opening of ['[', '{a: ', '- ', '? ', '!a ', '&a ', '"', '|\n']) {
    const abyss = opening.repeat(20_000);
    expect(await endsWell(() => parseRecipe(abyss, 'recipe')), opening).toBeInstanceOf(ConvbaseError);
  }
});
