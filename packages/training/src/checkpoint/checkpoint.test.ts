import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointing, readCheckpoint, writeCheckpoint, type Checkpoint } from './index.ts';

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
