import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointing, lockFolder, readCheckpoint, writeCheckpoint, type Checkpoint } from './index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convbase-checkpoint-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const checkpoint: Checkpoint = {
  base: 'abc',
  adapter: 'some adapter',
  done: [
    {
      name: 'head',
      firstEpoch: 0,
      epochs: 2,
      seconds: 1.5,
      best: { monitor: 'val_loss', epoch: 1, value: 0.25 },
      logs: { loss: 0.5, val_loss: null },
      test: null,
      trainable: { variables: 4, parameters: 10, of: 20 },
      frozen: { layers: 3, cached: true },
    },
  ],
  position: { epoch: 2, batch: 5, totals: { samples: 40, sums: [1065353216, 3], chances: [40] } },
  stopped: false,
  seconds: 0.75,
  training: {
    tensors: { 'weights/a/kernel': { shape: [2, 1], data: Float32Array.of(1, -0) } },
    numbers: { iterations: 7, 'random/dropout': 12 },
  },
  others: { '3/b/bias': { shape: [1], data: Float32Array.of(NaN) } },
  callbacks: {
    early: { json: { wait: 1 }, tensors: { best: { shape: [1], data: Float32Array.of(0.1) } } },
    log: { json: 'text\n', tensors: {} },
  },
};

describe('a checkpoint', () => {
  it('is read as it was written', async () => {
    const path = join(folder, 'last.safetensors');
    expect(await readCheckpoint(path)).toBeUndefined();
    await writeCheckpoint(path, checkpoint);
    expect(await readCheckpoint(path)).toEqual(checkpoint);
    expect(await readdir(folder)).toEqual(['last.safetensors']);
  });

  it('that is damaged is refused by name', async () => {
    const path = join(folder, 'damaged.safetensors');
    await writeCheckpoint(path, checkpoint);
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 1));
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: 'file/truncated', where: path });
    await writeFile(path, bytes.toString('latin1').replace('"epoch\\":2', '"epoch\\":x'), 'latin1');
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: 'checkpoint/damaged', where: path });
  });

  it('is saved at the beginning, after epochs, on stopping, and when time is up', async () => {
    const saved: string[] = [];
    const begin = { epoch: 1, batch: 0, totals: null };
    const at = (epoch: number, batch: number) => () => Promise.resolve({ epoch, batch, totals: null });
    const no = () => Promise.resolve({});
    for (const seconds of [1000, 0]) {
      const callback = checkpointing(
        ({ epoch, batch }) => Promise.resolve(void saved.push(`${epoch}/${batch}`)),
        begin,
        seconds,
      );
      await callback.onTrainBegin?.();
      await callback.onBatchEnd?.(1, 0, at(1, 1), no);
      await callback.onEpochEnd?.(1, {}, at(2, 0));
      await callback.onAbort?.({ epoch: 2, batch: 3, totals: null });
    }
    expect(saved).toEqual(['1/0', '2/0', '2/3', '1/0', '1/1', '2/0', '2/3']);
  });
});

describe('lockFolder', () => {
  const path = (): string => join(folder, 'run');
  const foreign = (holder: object): Promise<void> =>
    writeFile(join(path(), 'lock'), JSON.stringify({ host: hostname(), started: null, id: 'x', ...holder }));

  it('lets one in, and the next when that one is done', async () => {
    const release = await lockFolder(path());
    await expect(lockFolder(path())).rejects.toMatchObject({ code: 'run/locked', where: path() });
    await release();
    expect(await readdir(path())).toEqual([]);
    await (
      await lockFolder(path())
    )();
  });

  it('takes over from a process that is no more, but not from one on another machine', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('close', resolve));
    await foreign({ pid: child.pid });
    await (
      await lockFolder(path())
    )();
    // The number of a process that is no more may be that of another one by now, such as this.
    await foreign({ pid: process.pid });
    await (
      await lockFolder(path())
    )();
    await foreign({ pid: process.ppid, started: 'long ago' });
    if (process.platform === 'linux') await (await lockFolder(path()))();
    await foreign({ pid: child.pid, host: 'elsewhere' });
    await expect(lockFolder(path())).rejects.toThrow(/process \d+ on elsewhere/);
    await writeFile(join(path(), 'lock'), 'what?');
    await expect(lockFolder(path())).rejects.toMatchObject({ code: 'run/locked' });
    expect(await readdir(path())).toEqual(['lock']);
  });

  it('lets one of many in at a time', async () => {
    await rm(path(), { recursive: true });
    let inside = 0;
    let entered = 0;
    const attempts = Array.from({ length: 20 }, async () => {
      const release = await lockFolder(path()).catch(() => undefined);
      if (release === undefined) return;
      expect(++inside).toBe(1);
      entered++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
      await release();
    });
    await Promise.all(attempts);
    expect(entered).toBeGreaterThan(0);
  });
});
