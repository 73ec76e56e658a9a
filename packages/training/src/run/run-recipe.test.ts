import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { openClassifierFile } from '@convbase/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { miniRecipe, twoStages, writeData } from '../testing/samples.ts';
import { runRecipe, type RunOptions } from './index.ts';

let gpu: Gpu;
let folder: string;
beforeAll(async () => {
  gpu = await openGpu();
  folder = await mkdtemp(join(tmpdir(), 'convbase-run-'));
  await writeData(join(folder, 'data'));
});
afterAll(async () => {
  expect(gpu.memory().liveBuffers).toBe(0);
  gpu.destroy();
  await rm(folder, { recursive: true });
});

const options = (out: string): RunOptions => ({
  name: 'mini',
  data: join(folder, 'data'),
  out: join(folder, out),
  cacheFolder: join(folder, 'cache'),
  gpu,
});

describe('runRecipe', () => {
  it('leaves everything in its folder', async () => {
    const said: string[] = [];
    const result = await runRecipe(miniRecipe(twoStages), {
      ...options('whole'),
      observer: { say: (line) => said.push(line) },
    });
    expect((await readdir(join(folder, 'whole'))).sort()).toEqual([
      'checkpoints',
      'classifier.keras',
      'curves',
      'history.csv',
      'history.json',
      'log.jsonl',
      'recipe.yaml',
      'report.html',
      'run.json',
      'tensorboard',
    ]);
    expect(said.join('\n')).toMatch(
      /outputs of 36 pictures computed in .*augmentation makes every picture new/s,
    );
    expect(result).toMatchObject({
      status: 'finished',
      samples: { train: 36, validation: 12, test: 12 },
      stages: [
        {
          name: 'head',
          epochs: 2,
          best: { monitor: 'val_loss' },
          test: { on: 'test', samples: 12 },
          trainable: { variables: 4 },
          frozen: { cached: true },
        },
        {
          name: 'finetune',
          firstEpoch: 2,
          epochs: 2,
          trainable: { variables: 6 },
          frozen: { cached: false },
        },
      ],
      result: { test: { on: 'test', samples: 12 }, classifier: 'classifier.keras' },
    });
    expect(result.stages[1]?.test).toEqual(result.result?.test);
    const { model, info } = await openClassifierFile(join(folder, 'whole', 'classifier.keras'));
    expect(info.classNames).toEqual(['bars', 'dots']);
    model.dispose();
  });
});
