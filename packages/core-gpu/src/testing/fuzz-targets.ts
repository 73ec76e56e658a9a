import { dirname } from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import { damagedLines, encode, inFolder, type FuzzTarget } from '../../../base/src/testing/fuzz-target.ts';
import type { AdapterDescription } from '../device/adapter.ts';
import { readMeasured, tunedFile, tunedTableOf } from '../platform/node/tuned-file.ts';
import { kernelsHash } from '../shaders/generated.ts';

/** The readers of this package; `scratch` is a folder for their files. */
export function fuzzTargets(scratch: string): FuzzTarget[] {
  const line = (key: string, best: string) => ({
    ...{ kernels: kernelsHash, key, rule: { variant: 'a' }, ruleMilliseconds: 2 },
    ...{ best: { variant: best, cols: 2 }, bestMilliseconds: 1 },
  });
  const lines = [line('matmul k=1', 'b'), line('matmul k=2', 'c'), line('matmul k=1', 'd')];
  const text = lines.map((one) => `${JSON.stringify(one)}\n`).join('');
  const adapter: AdapterDescription = {
    ...{ name: 'fuzzed', vendor: '', architecture: '', device: '', driver: '1', kind: 'gpu' as const },
  };
  return [
    {
      name: 'tuned-table',
      whole: [
        {
          input: { table: encode(text) },
          gives: { 'matmul k=1': { variant: 'd', cols: 2 }, 'matmul k=2': { variant: 'c', cols: 2 } },
        },
      ],
      damaged: damagedLines(lines).map((table) => ({ table })),
      read: async ({ table = new Uint8Array() }) => {
        process.env['CONVBASE_CACHE'] = inFolder(scratch, {});
        const path = tunedFile(adapter);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, table);
        return tunedTableOf(await readMeasured(adapter));
      },
      runs: 1000,
    },
  ];
}
