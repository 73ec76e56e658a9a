import { openGpu, type Gpu } from '@convbase/core-gpu';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyFolder, type CaseResult } from './index.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => {
  gpu.destroy();
});

test('this adapter computes what ships with convbase', async () => {
  const results: CaseResult[] = [];
  const folder = process.env['GOLDEN'];
  const t = performance.now();
  const report = await verifyFolder(folder, { gpu, onCase: (result) => { results.push(result); const w = Object.entries(result.relativeError).sort((a, b) => (b[1] / (result.tolerance[b[0]]||1e-9)) - (a[1] / (result.tolerance[a[0]]||1e-9)))[0]; console.log(((performance.now()-t)/1000).toFixed(1), result.name, result.pass, w, result.error ?? ''); }, weights: JSON.parse(process.env['W'] ?? '{}') });
  expect(report.failed).toEqual([]);
}, 3000_000);
