import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { damagedJson, jsonDamages } from '../../../../base/src/testing/damaged-json.ts';
import {
  damagedBytes,
  damagedText,
  decode,
  encode,
  type FuzzTarget,
} from '../../../../base/src/testing/fuzz-target.ts';
import { parseRecipe } from '../../recipe/index.ts';

const recipeFile = new URL('../../../recipes/catsdogs-vgg16-finetune-150.yaml', import.meta.url);
export const recipeText = readFileSync(recipeFile, 'utf8');

/** What YAML reads as more than a word. */
export const yamlWords = [
  ...[
    '&a ',
    '*a ',
    '<<: *a',
    '!!binary ',
    '!!float ',
    '!a ',
    '!!set ',
    '? ',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    ',',
  ],
  ...[
    '"',
    "'",
    '|\n',
    '>-\n',
    '#',
    '---\n',
    '...\n',
    '%YAML 9.9\n',
    '\t',
    '\n',
    '\n  ',
    '\r',
    '\0',
    '\ufeff',
    '\\',
  ],
  ...['null', '.nan', '.inf', '1e999', '0x', '__proto__: ', 'stages:\n', '~', '@', '`'],
];

export function recipeTarget(): FuzzTarget {
  const recipe: unknown = parse(recipeText);
  const values = jsonDamages.map((list) => damagedJson(recipe, list));
  return {
    name: 'recipe',
    whole: [
      { input: { recipe: encode(recipeText) }, gives: ['head', 'finetune'] },
      { input: { recipe: encode(JSON.stringify(recipe)) }, gives: ['head', 'finetune'] },
    ],
    damaged: fc
      .oneof(
        { weight: 3, arbitrary: damagedText(recipeText, yamlWords) },
        { weight: 1, arbitrary: damagedBytes(encode(recipeText)) },
        {
          weight: 2,
          // What no reader of JSON would let through is given as it is.
          arbitrary: values.map((text) =>
            encode(text.includes('[[[[[[') ? text : stringify(JSON.parse(text))),
          ),
        },
        { weight: 1, arbitrary: values.map(encode) },
        { weight: 1, arbitrary: fc.string({ maxLength: 500 }).map(encode) },
      )
      .map((text) => ({ recipe: text })),
    read: ({ recipe: text }) => parseRecipe(decode(text), 'recipe').stages.map(({ name }) => name),
    runs: 1200,
  };
}
