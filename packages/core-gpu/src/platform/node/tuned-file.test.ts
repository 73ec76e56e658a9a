import { link, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AdapterDescription } from '../../device/adapter.ts';
import { kernelsHash } from '../../shaders/generated.ts';
import { cachedTable } from '../node.ts';
import { addMeasured, readMeasured, strikeDamaged, tunedFile, tunedTableOf } from './tuned-file.ts';

const adapter: AdapterDescription = {
  name: 'Some GPU · driver 1.2',
  vendor: 'some',
  architecture: 'one',
  device: 'Some GPU',
  driver: '1.2',
  kind: 'gpu',
};
const faster = {
  rule: { variant: 'tiled', rows: 4 },
  ruleMilliseconds: 2,
  best: { variant: 'tiled', rows: 8 },
  bestMilliseconds: 1,
};
const same = { rule: faster.rule, ruleMilliseconds: 2, best: faster.rule, bestMilliseconds: 2 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-tuned-'));
  vi.stubEnv('CONVBASE_CACHE', folder);
});
afterEach(async () => {
  vi.restoreAllMocks();
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

  it('counts for nothing with other kernels, and is not lost', async () => {
    const path = await addMeasured(adapter, { one: faster });
    const other = (await readFile(path, 'utf8')).replace(kernelsHash, 'others');
    await writeFile(path, other);
    expect(await readMeasured(adapter)).toEqual({});
    await addMeasured(adapter, { two: same });
    expect(await readMeasured(adapter)).toEqual({ two: same });
    expect(await readFile(path, 'utf8')).toContain(other);
  });

  it('loses nothing when several add to it at once', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `problem ${String(i)}`);
    await Promise.all(names.map((name) => addMeasured(adapter, { [name]: faster })));
    expect(Object.keys(await readMeasured(adapter)).sort()).toEqual(names.sort());
  });

  it('is named when it is damaged', async () => {
    const path = await addMeasured(adapter, { one: faster });
    const [line = ''] = (await readFile(path, 'utf8')).split('\n');
    const content = JSON.parse(line) as object;
    for (const text of [
      '{',
      '[]',
      '{"format": "other"}',
      line.slice(0, -9),
      JSON.stringify({ ...content, best: { rows: [8] } }),
      JSON.stringify({ ...content, bestMilliseconds: '1' }),
    ]) {
      await writeFile(path, `${line}\n${text}\n`);
      const error = { code: 'tune/file', where: path, message: expect.stringContaining('line 2') as string };
      await expect(readMeasured(adapter), text).rejects.toMatchObject(error);
    }
    await writeFile(path, ' ');
    await truncate(path, 2 ** 24 + 1);
    await expect(readMeasured(adapter)).rejects.toMatchObject({ code: 'tune/file', where: path });
  });

  it('loses only what is damaged of it', async () => {
    const path = await addMeasured(adapter, { one: faster });
    expect(await strikeDamaged(adapter)).toBeUndefined();
    const line = await readFile(path);
    // A line that is no text, and one that was cut off.
    await writeFile(path, Buffer.concat([Buffer.from([0xff, 0xc3, 0x0a]), line, Buffer.from('{"key": "tü')]));
    expect(await strikeDamaged(adapter)).toEqual({ what: 'line 1 is no JSON', lines: 2, kept: 1 });
    expect(await readMeasured(adapter)).toEqual({ one: faster });
    expect(await strikeDamaged(adapter)).toBeUndefined();
    await addMeasured(adapter, { two: same });
    expect(await readMeasured(adapter)).toEqual({ one: faster, two: same });
    expect(await readdir(dirname(path))).toEqual([basename(path)]);

    await writeFile(path, 'nothing of it');
    expect(await strikeDamaged(adapter)).toMatchObject({ lines: 1, kept: 0 });
    expect(await readMeasured(adapter)).toEqual({});
  });

  it('is there all the time, whatever several processes do with it', async () => {
    const path = await addMeasured(adapter, { one: faster });
    await writeFile(path, `${await readFile(path, 'utf8')}{"key": "tw`);
    const names = Array.from({ length: 8 }, (_, i) => `problem ${String(i)}`);
    const { ino } = await stat(path);
    await Promise.all(
      names.flatMap((name) => [strikeDamaged(adapter), addMeasured(adapter, { [name]: same })]),
    );
    expect((await stat(path)).ino).toBe(ino);
    expect(await strikeDamaged(adapter)).toBeUndefined();
    expect(Object.keys(await readMeasured(adapter)).sort()).toEqual(['one', ...names]);
  });

  it('loses only a line that was cut off, not the next one', async () => {
    const path = await addMeasured(adapter, { one: faster });
    await writeFile(path, `${await readFile(path, 'utf8')}{"key": "tw`);
    await addMeasured(adapter, { three: same });
    expect(await readFile(path, 'utf8')).not.toMatch(/^\n|\n\n/);
    expect(await strikeDamaged(adapter)).toEqual({ what: 'line 2 is no JSON', lines: 1, kept: 2 });
    expect(await readMeasured(adapter)).toEqual({ one: faster, three: same });
  });

  it.each([
    ['a link', symlink],
    ['a second name', link],
  ])('is a copy from then on where it is %s of another file', async (_, make) => {
    const precious = join(folder, 'precious');
    const before = await readFile(await addMeasured(adapter, { one: same }), 'utf8');
    for (const text of [before, `${before}no measurement\n`]) {
      await rm(tunedFile(adapter));
      await writeFile(precious, text);
      await make(precious, tunedFile(adapter));
      await strikeDamaged(adapter);
      await addMeasured(adapter, { two: faster });
      expect(await readFile(precious, 'utf8')).toBe(text);
      expect(await readMeasured(adapter)).toEqual({ one: same, two: faster });
      await rm(precious);
    }
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
    expect(line).toContain('convbase tune');
    warn.mockRestore();
  });
});
