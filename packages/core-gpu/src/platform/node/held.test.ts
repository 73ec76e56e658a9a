import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../device/gpu.ts';
import { openGpu } from '../../device/open.ts';
import { planFill } from '../../kernels/elementwise/elementwise.ts';
import { closeAllGpus } from './held.ts';

/** Fills a buffer and reads it again. */
async function fill(gpu: Gpu, value: number, count = 1000): Promise<boolean> {
  const y = gpu.createBuffer(4 * count, 'y');
  gpu.run(planFill({ count, value }, gpu.target), { y });
  const read = gpu.read(y);
  gpu.releaseBuffer(y);
  return new Float32Array(await read).every((number) => number === value);
}

const exitListeners = process.listenerCount('exit');

describe('open devices', () => {
  it.runIf(process.platform === 'linux')(
    'leave no threads and no memory behind, two hundred in a row',
    async () => {
      const threads = (): number => readdirSync('/proc/self/task').length;
      const megabytes = (): number => process.memoryUsage.rss() / 2 ** 20;
      const start = threads();
      // Dawn has two for a device and llvmpipe one for each core; the rest is V8's and libuv's.
      const most = 20 + 5 * (2 + availableParallelism());
      let settled = 0;
      for (let i = 0; i < 200; i++) {
        const gpu = await openGpu({ tuned: false });
        expect(await fill(gpu, i)).toBe(true);
        gpu.destroy();
        if (i === 50) settled = megabytes();
        // Four destroyed ones may wait to be collected, one is open; llvmpipe has a thread for each core.
        if (i > 0) expect(threads()).toBeLessThanOrEqual(start + most);
      }
      expect(threads()).toBeLessThanOrEqual(start + most);
      // Each kept 3 MB before, 450 MB in all.
      expect(megabytes() - settled).toBeLessThan(60);
    },
  );

  it('are closed when they are done, and what waits for them is told', async () => {
    const gpu = await openGpu({ tuned: false });
    const reading = fill(gpu, 1, 1_000_000);
    const outcome = expect(reading).rejects.toMatchObject({ code: 'device/destroyed' });
    await gpu.close();
    await outcome;
    expect(() => gpu.createBuffer(4, 'late')).toThrow(/closed/);
    await expect(gpu.prepare([])).rejects.toMatchObject({ code: 'device/destroyed' });
    await gpu.close();
    gpu.destroy();
  });

  it('do not notice each other', async () => {
    const [one, other] = [await openGpu({ tuned: false }), await openGpu({ tuned: false })];
    const reading = fill(one, 7, 1_000_000);
    const bad = other.createBuffer(16, 'bad');
    other.copy(bad, bad, 1_000_000);
    await other.flush();
    await expect(other.idle()).rejects.toMatchObject({ code: 'device/validation' });
    other.destroy();
    expect(await reading).toBe(true);
    expect(await fill(one, 8)).toBe(true);
    one.destroy();
  });

  it('are all closed at the end of the process', async () => {
    expect(process.listenerCount('exit')).toBe(exitListeners);
    const gpus = [await openGpu({ tuned: false }), await openGpu({ backend: 'null' })];
    expect(process.listenerCount('exit')).toBe(exitListeners + 1);
    await closeAllGpus();
    for (const gpu of gpus) expect(() => gpu.createBuffer(4, 'late')).toThrow(/closed/);
    expect(process.listenerCount('exit')).toBe(exitListeners);
  });
});
