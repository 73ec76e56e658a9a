import { join } from 'node:path';
import fc from 'fast-check';
import { damagedJsonFile, encode, inFolder, type FuzzTarget } from '../../../base/src/testing/fuzz-target.ts';
import { readFigures, readResults } from '../results/schema.ts';
import { failed, results, row } from './results.ts';

/** The readers of this package; `scratch` is a folder for their files. */
export function fuzzTargets(scratch: string): FuzzTarget[] {
  const whole = results([row(), failed('no room')]);
  const figures = { figures: [{ case: 'c', contender: 'Keras', medianMs: 264, adapter: '2 cores' }] };
  const target = (
    name: string,
    value: unknown,
    gives: unknown,
    read: (path: string) => Promise<unknown>,
  ): FuzzTarget => ({
    name,
    whole: [{ input: { 'latest.json': encode(JSON.stringify(value)) }, gives }],
    damaged: fc.oneof(damagedJsonFile(value)).map((json) => ({ 'latest.json': json })),
    read: (input) => read(join(inFolder(join(scratch, name), input), 'latest.json')),
    runs: 500,
  });
  return [
    target('bench-results', whole, 2, async (path) => (await readResults(path)).rows.length),
    target('bench-figures', figures, 1, async (path) => (await readFigures(path)).length),
  ];
}
