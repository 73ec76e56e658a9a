import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ConvbaseError } from '@convbase/base';
import { endsWell } from '../../../base/src/testing/fuzz.ts';
import { withstands } from '../../../base/src/testing/withstands.ts';
import { parseRecipe } from '../recipe/index.ts';
import { fuzzTargets } from './fuzz-targets.ts';

const scratch = await mkdtemp(join(tmpdir(), 'convbase-fuzz-'));
afterAll(() => rm(scratch, { recursive: true }));

test.each(await fuzzTargets(scratch))('$name, damaged', (target) =>
  withstands(target, join(import.meta.dirname, '..', '..', 'fixtures', 'fuzz')),
);

test('a recipe of aliases of aliases, of lists in lists', async () => {
  const aliases = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`);
  const laughs = ['a0: &a0 [ha, ha]', ...aliases].join('\n');
  expect(await endsWell(() => parseRecipe(laughs, 'recipe'))).toMatchObject({ code: 'recipe/yaml' });
  for (const opening of ['[', '{a: ', '- ', '? ', '!a ', '&a ', '"', '|\n']) {
    const abyss = opening.repeat(20_000);
    expect(await endsWell(() => parseRecipe(abyss, 'recipe')), opening).toBeInstanceOf(ConvbaseError);
  }
});
