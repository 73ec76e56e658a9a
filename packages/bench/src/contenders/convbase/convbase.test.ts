import { openGpu, type Gpu } from '@convbase/core-gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Files } from '../../cases/files.ts';
import { judge } from '../../gate/gate.ts';
import type { CachedEpochTask, Direction, TrainTask } from '../../protocol.ts';
import { sampleOf } from '../../sample.ts';
import { prepareCachedEpoch } from './cached-epoch.ts';
import { prepareConvolution } from './convolution.ts';
import { prepareExtraction } from './extract.ts';
import { prepareForward } from './forward.ts';
import { prepareTraining } from './train.ts';

const learning = { learningRate: 1e-3, momentum: 0.9 } as const;

describe('convbase as a contender', () => {
  let gpu: Gpu;
  let files: Files;
  beforeAll(async () => {
    gpu = await openGpu();
    files = await Files.make();
  });
  afterAll(async () => {
    gpu.destroy();
    await files.remove();
  });

  it.each<Direction>(['forward', 'input-gradient', 'filter-gradient'])('computes %s', async (direction) => {
    const convolution = {
      n: 2,
      h: 9,
      w: 7,
      ci: 8,
      co: 12,
      kh: 3,
      kw: 3,
      strides: [2, 2],
      padding: 'same',
    } as const;
    const task = { kind: 'convolution', direction, convolution } as const;
    const prepared = await prepareConvolution(gpu, task);
    await prepared.run();
    const outputs = { result: sampleOf((await prepared.outputs())['result'] ?? []) };
    expect(judge(task, [{ label: 'convbase', outputs }])[0]).toMatchObject({ correct: true });
  });

  it('runs networks, over pictures in memory and in files', async () => {
    const { materials } = await files.network({ kind: 'base', model: 'vgg16', size: 32 });
    const forward = await prepareForward(gpu, {
      kind: 'forward',
      model: 'vgg16',
      size: 32,
      batch: 2,
      materials,
    });
    await forward.run();
    const { features = [] } = await forward.outputs();
    expect(features.length).toBe(2 * 512);
    expect(Math.max(...Array.from(features))).toBeGreaterThan(0);

    const pictures = await files.pictures(3);
    const extract = await prepareExtraction(gpu, {
      kind: 'extract',
      model: 'vgg16',
      size: 32,
      batch: 2,
      pictures: 3,
      materials: { ...materials, pictures },
    });
    await extract.run();
    const extracted = Array.from((await extract.outputs())['features'] ?? []);
    expect(extracted).toHaveLength(3 * 512);
    expect(extracted.slice(2 * 512)).not.toEqual(extracted.slice(0, 512));
  });

  it('trains the same head on features and, behind a frozen part, on pictures', async () => {
    const trainableFrom = 'block5_conv3';
    const network = { kind: 'fine-tuned', model: 'vgg16', size: 32, from: trainableFrom } as const;
    const whole = await files.network({ ...network, part: 'whole' });
    const trained = await files.network({ ...network, part: 'trained' });
    const pictures = await files.pictures(4);
    const common = { batch: 2, trainableFrom, ...learning } as const;
    const task: TrainTask = {
      kind: 'train',
      input: [2, 2, 512],
      inputKind: 'features',
      steps: 2,
      ...common,
      materials: trained.materials,
    };
    const part = await prepareTraining(gpu, task);
    await part.run();
    const { loss, update = [] } = await part.outputs();
    expect(loss?.[0]).toBeGreaterThan(0);
    expect(update.length).toBe(9 * 512 * 512);
    expect(Math.max(...Array.from(update, Math.abs).slice(0, 5000))).toBeGreaterThan(1e-7);

    const epochsOf = async (outputs: CachedEpochTask['outputs']): Promise<number[]> => {
      const epoch = await prepareCachedEpoch(gpu, {
        kind: 'cached-epoch',
        outputs,
        model: 'vgg16',
        size: 32,
        pictures: 4,
        ...common,
        materials: { ...whole.materials, pictures, scratch: await files.scratch() },
      });
      const losses: number[] = [];
      for (let i = 0; i < 3; i++) {
        await epoch.run();
        losses.push((await epoch.outputs())['loss']?.[0] ?? NaN);
      }
      return losses;
    };
    const losses = await epochsOf('kept');
    expect(losses[2]).toBeLessThan(losses[0] ?? NaN);
    expect(await epochsOf('ready')).toEqual(losses);
  });
});
