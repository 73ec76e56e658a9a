import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { create } from 'webgpu';
import { cachedDriver } from './cache.ts';
import { withoutNativeNoise } from './quiet.ts';

/** The answer is remembered for a process, so each test takes a fresh copy of the module. */
async function freshEnsureDriver(): Promise<(typeof import('./ensure.ts'))['ensureDriver']> {
  vi.resetModules();
  return (await import('./ensure.ts')).ensureDriver;
}

const empty = mkdtempSync(join(tmpdir(), 'convbase-drivers-'));
afterEach(() => {
  vi.unstubAllEnvs();
});

describe.runIf(process.platform === 'linux')('without an adapter', () => {
  it('says which variable names a driver that does not work', async () => {
    vi.stubEnv('CONVBASE_DRIVER', '');
    vi.stubEnv('VK_DRIVER_FILES', join(empty, 'none.json'));
    vi.stubEnv('VK_ICD_FILENAMES', join(empty, 'none.json'));
    const ensureDriver = await freshEnsureDriver();
    await expect(ensureDriver({ install: true })).rejects.toMatchObject({
      code: 'adapter/none',
      where: join(empty, 'none.json'),
    });
  });

  it('names a driver folder that holds no driver', async () => {
    vi.stubEnv('CONVBASE_DRIVER', empty);
    const ensureDriver = await freshEnsureDriver();
    await expect(ensureDriver()).rejects.toMatchObject({ code: 'driver/broken' });
  });

  it('finds no driver in an empty cache', async () => {
    const system = { family: 'debian', codename: 'bookworm', version: '12' };
    expect(await cachedDriver(empty, system)).toBeUndefined();
    expect(await cachedDriver(join(empty, 'missing'), system)).toBeUndefined();
    rmSync(empty, { recursive: true });
  });
});

describe('ensureDriver', () => {
  it('gives this process an adapter', async () => {
    const ensureDriver = await freshEnsureDriver();
    const state = await ensureDriver({ install: true });
    expect(['system', 'cache', 'installed']).toContain(state.source);
    const gpu = create([]);
    const adapter = await withoutNativeNoise(() => gpu.requestAdapter());
    expect(adapter).not.toBeNull();
    const device = await adapter?.requestDevice();
    expect(device?.limits.maxComputeWorkgroupSizeX).toBeGreaterThanOrEqual(128);
    device?.destroy();
    expect(await ensureDriver()).toBe(state);
  }, 300_000);
});
