import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AdapterDescription } from '../../device/adapter.ts';
import { cachedTable } from '../node.ts';
import { addMeasured, readMeasured, tunedFile, tunedTableOf } from './tuned-file.ts';

const adapter: AdapterDescription = {
  name: 'Some GPU · driver 1.2',
  vendor: 'some',
  architecture: 'one',
  device: 'Some GPU',
  driver: '1.2',
  kind: 'gpu',
};
const faster = {
  rule: { variant: 'tile', rows: 4 },
  ruleMilliseconds: 2,
  best: { variant: 'tile', rows: 8 },
  bestMilliseconds: 1,
};
const same = { rule: faster.rule, ruleMilliseconds: 2, best: faster.rule, bestMilliseconds: 2 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-tuned-'));
  vi.stubEnv('CONVBASE_CACHE', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('the file of an adapter', () => {
  it('keeps what was measured, and takes a newer measurement for an older one', async () => {
    expect(await readMeasured(adapter)).toEqual({});
    const path = await addMeasured(adapter, { one: same, two: same });
    expect(path).toBe(tunedFile(adapter));
    expect(path.startsWith(join(folder, 'tuned', 'some-gpu-driver-1-2-'))).toBe(true);
    await addMeasured(adapter, { two: faster });
    expect(await readMeasured(adapter)).toEqual({ one: same, two: faster });
    expect(tunedTableOf(await readMeasured(adapter))).toEqual({ two: faster.best });
    expect(tunedTableOf({ one: same })).toBeUndefined();
  });

  it('is another one for another driver', async () => {
    await addMeasured(adapter, { one: faster });
    expect(await readMeasured({ ...adapter, driver: '1.3' })).toEqual({});
  });

  it('counts for nothing with other kernels', async () => {
    const path = await addMeasured(adapter, { one: faster });
    const content = JSON.parse(await readFile(path, 'utf8')) as { kernels: string };
    await writeFile(path, JSON.stringify({ ...content, kernels: 'others' }));
    expect(await readMeasured(adapter)).toEqual({});
  });

  it('is named when it is damaged', async () => {
    const path = await addMeasured(adapter, { one: faster });
    const content = JSON.parse(await readFile(path, 'utf8')) as object;
    for (const text of [
      '{',
      '[]',
      '{"format": "other"}',
      JSON.stringify({ ...content, measured: [] }),
      JSON.stringify({ ...content, measured: { one: { ...faster, best: { rows: [8] } } } }),
      JSON.stringify({ ...content, measured: { one: { ...faster, bestMilliseconds: '1' } } }),
    ]) {
      await writeFile(path, text);
      await expect(readMeasured(adapter), text).rejects.toMatchObject({ code: 'tune/file', where: path });
    }
    await writeFile(path, JSON.stringify({ ...content, measured: { 'a\u001b[31m\n': 1 } }));
    await expect(readMeasured(adapter)).rejects.toThrow('"a\\u001b[31m\\n" is no measurement');
    await writeFile(path, ' ');
    await truncate(path, 2 ** 24 + 1);
    await expect(readMeasured(adapter)).rejects.toMatchObject({ code: 'tune/file', where: path });
  });

  it('is replaced when it is damaged', async () => {
    const path = await addMeasured(adapter, { one: faster });
    await writeFile(path, '{');
    await addMeasured(adapter, { two: faster });
    expect(await readMeasured(adapter)).toEqual({ two: faster });
  });

  it('is warned of once when it is damaged, and left unused', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const path = await addMeasured(adapter, { one: faster });
    expect(await cachedTable(adapter)).toEqual({ one: faster.best });
    await writeFile(path, '{');
    expect(await cachedTable(adapter)).toBeUndefined();
    expect(await cachedTable(adapter)).toBeUndefined();
    expect(warn).toHaveBeenCalledOnce();
    const line = String(warn.mock.calls[0]?.[0]);
    expect(line).toContain(path);
    expect(line).toContain('Delete it');
    warn.mockRestore();
  });
});
