import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, test } from 'vitest';
import { growsLinearly } from '../../../base/src/testing/linear.ts';
import { readMeasured, tunedFile, tunedTableOf } from '../platform/node/tuned-file.ts';
import { kernelsHash } from '../shaders/generated.ts';

const scratch = mkdtempSync(join(tmpdir(), 'convbase-linear-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const adapter = { name: 'any', vendor: '', architecture: '', device: '', driver: '1', kind: 'gpu' as const };

async function read(lines: readonly string[]): Promise<unknown> {
  process.env['CONVBASE_CACHE'] = scratch;
  const path = tunedFile(adapter);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, lines.join('\n'));
  return tunedTableOf(await readMeasured(adapter));
}

test('a tuned table of many lines, or of many that are none', async () => {
  const line = (i: number): string =>
    JSON.stringify({
      ...{ kernels: kernelsHash, key: `k${i}`, rule: { a: 1 }, ruleMilliseconds: 2 },
      ...{ best: { a: 2 }, bestMilliseconds: 1 },
    });
  const times = (n: number, make: (i: number) => string): string[] =>
    Array.from({ length: n }, (_, i) => make(i));
  await growsLinearly(['lines', 5000, (n) => read(times(n, line))]);
  await growsLinearly(['no lines', 20_000, (n) => read(times(n, () => 'x'))]);
  await growsLinearly(['empty lines', 100_000, (n) => read(times(n, () => ''))]);
});
