import { describe, expect, it } from 'vitest';
import { awaitSoftware } from './wait.ts';

const after = (milliseconds: number): Promise<number> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds, milliseconds));

describe('awaitSoftware', () => {
  it('hands on results and failures', async () => {
    expect(await Promise.all([awaitSoftware(after(5)), awaitSoftware(after(30))])).toEqual([5, 30]);
    await expect(awaitSoftware(Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  });

  it('takes little processor time while it waits for something that asks at every turn', async () => {
    let asking = true;
    const ask = (): void => {
      if (asking) setImmediate(ask);
    };
    ask();
    const spent = async (wait: (work: Promise<number>) => Promise<number>): Promise<number> => {
      const before = process.cpuUsage();
      await wait(after(300));
      return process.cpuUsage(before).user;
    };
    const restless = await spent((work) => work);
    const patient = await spent(awaitSoftware);
    asking = false;
    expect(patient).toBeLessThan(restless / 2);
  });

  it('holds turns as well while more and more begin to wait', async () => {
    let turns = 0;
    let asking = true;
    const ask = (): void => {
      turns++;
      void awaitSoftware(Promise.resolve());
      if (asking) setImmediate(ask);
    };
    ask();
    await awaitSoftware(after(200));
    asking = false;
    expect(turns).toBeLessThan(400);
  });

  it('lets the event loop run freely once nothing is waited for', async () => {
    await awaitSoftware(after(40));
    const start = performance.now();
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(performance.now() - start).toBeLessThan(500);
  });
});
