import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@convbase/models';
import { afterAll, expect, test } from 'vitest';
import { ending } from '../../../base/src/testing/fuzz.ts';
import { encode, inFolder } from '../../../base/src/testing/fuzz-target.ts';
import { growsLinearly, type Growing } from '../../../base/src/testing/linear.ts';
import { readCheckpoint, type StageRecord } from '../checkpoint/index.ts';
import { parseHistory } from '../logs/index.ts';
import { parsePrefixManifest } from '../prefix/manifest.ts';
import { listRecipes, parseRecipe } from '../recipe/index.ts';
import { RunFolder } from '../run/run-folder.ts';

const scratch = mkdtempSync(join(tmpdir(), 'convbase-linear-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const keyed = <T>(n: number, value: T): Record<string, T> =>
  Object.fromEntries(times(n, (i) => [`key_${i}`, value] as const));

const [recipe] = await listRecipes();
const text = recipe?.text ?? '';
const more = (lines: string[]): unknown => parseRecipe(`${text}\n${lines.join('\n')}\n`, 'recipe');

const stage = (i: number): StageRecord => ({
  ...{ name: `s${i}`, firstEpoch: 0, epochs: 1, seconds: 1, best: null, logs: {}, test: null },
  ...{ trainable: { variables: 1, parameters: 1, of: 1 }, frozen: { layers: 0, cached: false } },
});
const facts = {
  ...{ base: 'b', adapter: 'a', done: [], position: { epoch: 0, batch: 0, totals: null } },
  ...{ stopped: false, seconds: 0, numbers: {}, callbacks: {} },
};

/** A checkpoint with these tensors of one number. */
function checkpoint(changes: object, names: readonly string[]): Promise<unknown> {
  const state = JSON.stringify({ ...facts, ...changes });
  const tensors = names.map((name) => [name, { shape: [1], data: new Float32Array(1) }] as const);
  const file = writeSafetensors(tensors, { format: 'convbase-checkpoint', version: '1', state });
  return readCheckpoint(join(inFolder(join(scratch, 'checkpoint'), { file }), 'file'));
}

const run = (changes: object): Promise<unknown> => {
  const record = {
    ...{ format: 'convbase-run', version: 1, name: 'r', status: 'finished', data: 'd', adapter: 'a' },
    ...{ checksums: { data: 'x', base: 'y' }, classNames: ['a', 'b'], stages: [], seconds: 1, result: null },
    ...{ samples: { train: 1, validation: 1, test: 1 }, ...changes },
  };
  const files = { 'run.json': encode(JSON.stringify(record)), 'recipe.yaml': encode(text) };
  return new RunFolder(inFolder(join(scratch, 'run'), files)).read();
};

const prefix = (changes: object): unknown =>
  parsePrefixManifest(
    JSON.stringify({
      ...{ format: 'convbase-prefix', version: 1, key: 'k', rows: 1, shapes: [[1]], skipped: [], files: {} },
      ...changes,
    }),
    'k',
    'x',
  );

const growing: Growing[] = [
  ['recipe of unknown keys', 3000, (n) => more(times(n, (i) => `k${i}: 1`))],
  [
    'recipe of unknown keys in one line',
    3000,
    (n) => parseRecipe(`{${times(n, (i) => `k${i}: 1`).join()}}`, 'x'),
  ],
  ['recipe of one key', 3000, (n) => more(times(n, () => 'k: 1'))],
  ['recipe of stages', 1500, (n) => parseRecipe(`stages:\n${'  - name: a\n'.repeat(n)}`, 'x')],
  [
    'recipe of class weights',
    3000,
    (n) => parseRecipe(`stages: [{ classWeights: {${times(n, (i) => `c${i}: 1`).join()}} }]`, 'x'),
  ],
  ['recipe of anchors', 2000, (n) => more(times(n, (i) => `k${i}: &a${i} 1`))],
  ['recipe of aliases', 100, (n) => more(['k: &a 1', ...times(n, (i) => `k${i}: *a`)])],
  ['recipe of too many aliases', 3000, (n) => more(['k: &a 1', ...times(n, (i) => `k${i}: *a`)])],
  ['recipe of anchors and aliases', 100, (n) => more(times(n, (i) => `k${i}: &a${i} 1\nl${i}: *a${i}`))],
  ['recipe of lists in lists', 10_000, (n) => parseRecipe('['.repeat(n), 'x')],
  ['recipe of lists behind lists', 10_000, (n) => parseRecipe('- '.repeat(n), 'x')],
  ['recipe of mistakes', 3000, (n) => parseRecipe('a: b: c\n'.repeat(n), 'x')],
  ['recipe of mistakes in one line', 3000, (n) => parseRecipe('[}'.repeat(n), 'x')],
  ['recipe of quotes', 3000, (n) => parseRecipe(`"${'a\n'.repeat(n)}`, 'x')],
  ['recipe of comments', 5000, (n) => more(times(n, (i) => `# ${i}`))],
  ['recipe of documents', 3000, (n) => parseRecipe('---\na: 1\n'.repeat(n), 'x')],
  [
    'checkpoint of weights',
    5000,
    (n) =>
      checkpoint(
        {},
        times(n, (i) => `training/weights/${i}`),
      ),
  ],
  ['checkpoint of stages', 5000, (n) => checkpoint({ done: times(n, stage) }, [])],
  ['checkpoint of numbers', 10_000, (n) => checkpoint({ numbers: keyed(n, 1) }, [])],
  [
    'checkpoint of weights for many callbacks',
    1000,
    (n) =>
      checkpoint(
        { callbacks: keyed(100, 1) },
        times(n, (i) => `callbacks/key_${i % 100}/${i}`),
      ),
  ],
  [
    'checkpoint of too many callbacks',
    1500,
    (n) =>
      checkpoint(
        { callbacks: keyed(n, 1) },
        times(n, (i) => `callbacks/key_${i}/best`),
      ),
  ],
  ['run of stages', 5000, (n) => run({ stages: times(n, stage) })],
  ['run of classes', 20_000, (n) => run({ classNames: times(n, String) })],
  ['run of wrong classes', 20_000, (n) => run({ classNames: times(n, Number) })],
  [
    'history of epochs',
    30_000,
    (n) => parseHistory({ epoch: times(n, Number), history: { loss: times(n, Number) } }, 'x'),
  ],
  ['history of quantities', 10_000, (n) => parseHistory({ epoch: [0], history: keyed(n, [1]) }, 'x')],
  ['history of words', 20_000, (n) => parseHistory({ epoch: times(n, String), history: {} }, 'x')],
  [
    'prefix of outputs',
    2000,
    (n) => prefix({ shapes: times(n, () => [1]), files: keyed(n, { bytes: 1, sha256: 'x' }) }),
  ],
  [
    'prefix of skipped pictures',
    10_000,
    (n) => prefix({ skipped: times(n, (index) => ({ index, name: 'x' })) }),
  ],
  ['prefix of wrong files', 10_000, (n) => prefix({ files: keyed(n, 1) })],
];

test.each(growing)('%s', (...one) => growsLinearly(one));

test('a recipe of 0.39 MB with 40,000 keys is refused at once', async () => {
  const long = times(40_000, (i) => `k${i}: 1`).join('\n');
  const { result, cost } = await ending(() => parseRecipe(long, 'recipe'));
  expect(result).toMatchObject({
    code: 'recipe/yaml',
    message: expect.stringMatching(/at most 262144/) as string,
  });
  expect(cost.cpuSeconds).toBeLessThan(0.5);
});
