import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { encode, inFolder } from '../../../base/src/testing/fuzz-target.ts';
import { growsLinearly, type Growing } from '../../../base/src/testing/linear.ts';
import { readFigures, readResults } from '../results/schema.ts';
import { results, row } from './results.ts';

const scratch = mkdtempSync(join(tmpdir(), 'convbase-linear-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const file = (value: unknown): string =>
  join(inFolder(scratch, { 'latest.json': encode(JSON.stringify(value)) }), 'latest.json');
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

const growing: Growing[] = [
  ['results of rows', 2000, (n) => readResults(file(results(times(n, () => row()))))],
  ['results of wrong rows', 5000, (n) => readResults(file({ ...results([]), rows: times(n, () => ({})) }))],
  ['figures', 5000, (n) => readFigures(file({ figures: times(n, () => ({ case: 'c' })) }))],
];

test.each(growing)('%s', (...one) => growsLinearly(one));
