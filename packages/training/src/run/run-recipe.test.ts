import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { openClassifierFile } from '@convbase/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeRecipe, type Recipe } from '../recipe/index.ts';
import { readEvents } from '../tensorboard/testing.ts';
import { miniRecipe, twoStages, writeData } from '../testing/samples.ts';
import { time } from '../report/words.ts';
import { runRecipe, type RunOptions, type StagePlace } from './index.ts';

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
    const stages: StagePlace[] = [];
    const result = await runRecipe(miniRecipe(twoStages), {
      ...options('whole'),
      observer: {
        say: (line) => said.push(line),
        callbacks: (stage) => {
          stages.push(stage);
          return [];
        },
      },
    });
    expect(stages).toMatchObject([
      { name: 'head', index: 0, count: 2, firstEpoch: 0, endEpoch: 2, steps: 5 },
      { name: 'finetune', index: 1, count: 2, firstEpoch: 2, endEpoch: 4, steps: 5 },
    ]);
    // What the adapter waited for is a part of what the loops took, and these a part of the whole run.
    const { seconds = 0, waited = Infinity, between = Infinity } = result.input ?? {};
    expect(seconds).toBeGreaterThan(0);
    expect(waited + between).toBeLessThanOrEqual(seconds);
    expect(seconds).toBeLessThan(result.seconds);
    expect(JSON.parse(await text('whole', 'run.json'))).toMatchObject({ input: result.input });
    expect(await text('whole', 'report.html')).toContain(` in ${time(result.seconds)}.`);
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
    const tags = readEvents(join(folder, 'whole', 'tensorboard', 'train')).map(
      ({ step, tag }) => `${step} ${tag}`,
    );
    expect(tags).toEqual(expect.arrayContaining(['3 epoch_learning_rate', '0 dense/kernel/histogram']));
    const { model, info } = await openClassifierFile(join(folder, 'whole', 'classifier.keras'));
    expect(info.classNames).toEqual(['bars', 'dots']);
    model.dispose();
  });

  it('says where there was nothing to resume', async () => {
    const said: string[] = [];
    const observer = { say: (line: string) => said.push(line) };
    const signal = AbortSignal.abort();
    await expect(
      runRecipe(miniRecipe(twoStages), { ...options('none'), resume: true, observer, signal }),
    ).rejects.toThrow();
    expect(said[0]).toBe(`there is no run in ${join(folder, 'none')} yet: a new one begins`);
  });

  it('goes on after being stopped anywhere as if it had not been', async () => {
    // Head, middle of an epoch, the end of a stage, the second stage.
    for (const [name, stopAfter] of [
      ['a', 2],
      ['b', 13],
      ['c', 17],
    ] as const) {
      const controller = new AbortController();
      let batches = 0;
      const stopping = {
        onBatchEnd: () => {
          if (++batches === stopAfter) controller.abort();
        },
      };
      const interrupted = runRecipe(miniRecipe(twoStages), {
        ...options(name),
        checkpointSeconds: 0,
        observer: { callbacks: () => [stopping] },
        signal: controller.signal,
      });
      await expect(interrupted).rejects.toMatchObject({ code: 'run/aborted' });
      expect(JSON.parse(await text(name, 'run.json'))).toMatchObject({ status: 'stopped' });
      expect(await text(name, 'report.html')).toContain(name === 'a' ? 'mini' : 'stopped after');
      await runRecipe(miniRecipe(twoStages), { ...options(name), resume: true });
      expect(await weights(name)).toEqual(await weights('whole'));
      expect(await text(name, 'history.json')).toBe(await text('whole', 'history.json'));
      expect(await text(name, 'history.csv')).toBe(await text('whole', 'history.csv'));
      expect((await text(name, 'log.jsonl')).split('\n')).toHaveLength(5);
    }
  });

  it('is not begun where a run is, and not resumed as another one', async () => {
    await expect(runRecipe(miniRecipe(twoStages), options('whole'))).rejects.toMatchObject({
      code: 'run/exists',
    });
    const other = miniRecipe(twoStages.replace('0.01', '0.02'));
    await expect(runRecipe(other, { ...options('whole'), resume: true })).rejects.toThrow(
      'it cannot be resumed: the recipe is another: stages[0].optimizer.learningRate was 0.01, now it is 0.02',
    );
    const data = join(folder, 'other-data');
    await cp(join(folder, 'data'), data, { recursive: true });
    await rm(join(data, 'train', 'bars', '003.png'));
    await rewriteStatus('whole', 'stopped');
    await expect(
      runRecipe(miniRecipe(twoStages), { ...options('whole'), data, resume: true }),
    ).rejects.toThrow(/the pictures in .*other-data are not those it was begun with/);
    await rewriteStatus('whole', 'finished');
    const again = await runRecipe(miniRecipe(twoStages), { ...options('whole'), resume: true });
    expect(again.status).toBe('finished');
  });

  it('is resumed in the precision that it was begun in only, then bit for bit', async () => {
    const [float32, mixed] = (['float32', 'mixed'] as const).map((precision) =>
      changeRecipe(miniRecipe(twoStages), { precision }),
    ) as [Recipe, Recipe];
    await runRecipe(mixed, options('mixed'));
    const controller = new AbortController();
    let batches = 0;
    const stopping = {
      onBatchEnd: () => {
        if (++batches === 7) controller.abort();
      },
    };
    const { signal } = controller;
    const stopped = runRecipe(mixed, { ...options('m'), observer: { callbacks: () => [stopping] }, signal });
    await expect(stopped).rejects.toMatchObject({ code: 'run/aborted' });
    for (const other of [float32, miniRecipe(twoStages)]) {
      await expect(runRecipe(other, { ...options('m'), resume: true })).rejects.toMatchObject({
        code: 'run/changed',
        message: expect.stringContaining('precision was "mixed", now it is "float32"') as string,
      });
    }
    await expect(runRecipe(mixed, { ...options('whole'), resume: true })).rejects.toThrow(
      'precision was "float32", now it is "mixed"',
    );
    await runRecipe(mixed, { ...options('m'), resume: true });
    expect(await weights('m')).toEqual(await weights('mixed'));
    expect(await weights('m')).not.toEqual(await weights('whole'));
    expect(await text('m', 'history.json')).toBe(await text('mixed', 'history.json'));
  });

  it('starts a later head anew where the recipe wants it fresh', async () => {
    const stages = twoStages.replace('head: continue', 'head: fresh').replaceAll('epochs: 2', 'epochs: 1');
    await runRecipe(miniRecipe(stages), options('fresh'));
    const continued = changeRecipe(miniRecipe(stages), { continueHead: true });
    await runRecipe(continued, options('continued'));
    expect(await weights('fresh')).not.toEqual(await weights('continued'));
  });

  it('leaves out pictures that cannot be read only where the recipe says so', async () => {
    const data = join(folder, 'bad-data');
    await cp(join(folder, 'data'), data, { recursive: true });
    for (const bad of ['train/bars/003.png', 'test/dots/001.png'])
      await writeFile(join(data, bad), 'no picture');
    const stages = twoStages.replaceAll('epochs: 2', 'epochs: 1\n    stepsPerEpoch: 6');
    const refused = runRecipe(miniRecipe(stages), { ...options('refused'), data });
    await expect(refused).rejects.toThrow(/003\.png.*--on-bad-image skip/s);
    // The first epoch would find the one, only the second stage's end the other.
    await rm(join(data, 'train/bars/003.png'));
    for (const alone of [miniRecipe(stages), { ...miniRecipe(stages), sweep: 'blocks' as const }]) {
      const began: string[] = [];
      const early = runRecipe(
        { ...alone, stages: alone.stages.slice(0, 1) },
        {
          ...options(`early-${'sweep' in alone}`),
          data,
          observer: {
            callbacks: ({ name }) => {
              began.push(name);
              return [];
            },
          },
        },
      );
      await expect(early).rejects.toThrow(/test.dots.001\.png/);
      expect(began).toEqual([]);
    }
    await writeFile(join(data, 'train/bars/003.png'), 'no picture');
    const said: string[] = [];
    const recipe = changeRecipe(miniRecipe(stages), { onBadImage: 'skip' });
    const observer = { say: (line: string) => said.push(line) };
    const result = await runRecipe(recipe, { ...options('skipped'), data, observer });
    expect(result).toMatchObject({ samples: { train: 35, validation: 12, test: 11 }, status: 'finished' });
    expect(result.result?.test?.samples).toBe(11);
    expect(said.filter((line) => line.startsWith('skipped: '))).toHaveLength(2);
  });

  it('sweeps over the depth of the base', async () => {
    const stages = twoStages.slice(0, twoStages.indexOf('  - name: finetune'));
    const recipe: Recipe = { ...miniRecipe(stages), sweep: 'blocks' };
    const result = await runRecipe(recipe, options('sweep'));
    expect(result.result?.sweep).toMatchObject([
      { layer: 'block1_pool', features: 8, epochs: 2, test: { on: 'test', samples: 12 } },
      { layer: 'block2_pool', features: 12, epochs: 2, test: { on: 'test', samples: 12 } },
    ]);
    const { model } = await openClassifierFile(join(folder, 'sweep', 'classifier.keras'));
    expect(model.outputs[0]?.shape).toEqual([null, 1]);
    model.dispose();
  });

  /** The trained classifier's weights by path. */
  async function weights(name: string): Promise<Record<string, Float32Array>> {
    const { model } = await openClassifierFile(join(folder, name, 'classifier.keras'));
    const found = await Promise.all(model.weights.map(async (one) => [one.path, await one.read()] as const));
    model.dispose();
    return Object.fromEntries(found);
  }

  function text(...names: readonly string[]): Promise<string> {
    return readFile(join(folder, ...names), 'utf8');
  }

  async function rewriteStatus(name: string, status: string): Promise<void> {
    const changed = (await text(name, 'run.json')).replace(/"status": "\w+"/, `"status": "${status}"`);
    await writeFile(join(folder, name, 'run.json'), changed);
  }
});
