import { describe, expect, it } from 'vitest';
import {
  Adam,
  ExponentialDecay,
  exportTrainingState,
  importTrainingState,
  readTrainedWeights,
  RMSprop,
  SGD,
  type Batch,
  type Callback,
  type Dataset,
  type FitPosition,
  type Model,
  type Optimizer,
  type TrainingState,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniVgg } from '../testing/mini-models.ts';
import { randoms } from '../testing/numbers.ts';

/** Two pictures; a weight of 1e30 makes gradients that float16 cannot hold, whatever the loss scale. */
function batch(seed: number, sampleWeight = 1): Batch {
  return {
    x: { data: randoms(2 * 20 * 20 * 3, seed), shape: [2, 20, 20, 3] },
    y: { data: Float32Array.of(seed % 2, 1), shape: [2, 1] },
    sampleWeight: { data: Float32Array.of(sampleWeight, 1), shape: [2] },
  };
}

const good = [1, 2, 3, 4].map((seed) => batch(seed));
const bad = batch(9, 1e30);
const dataset = (batches: readonly Batch[]): Dataset => ({
  batches: (_epoch, first = 0) => batches.slice(first),
  batchCount: batches.length,
});

const falling = (): Optimizer =>
  new Adam({
    learningRate: new ExponentialDecay({ initialLearningRate: 0.01, decaySteps: 2, decayRate: 0.5 }),
  });
const optimizers: [string, () => Optimizer][] = [
  ['Adam', () => new Adam({ learningRate: 0.01 })],
  [
    'Adam with weight decay, amsgrad and clipping',
    () => new Adam({ weightDecay: 0.1, amsgrad: true, globalClipNorm: 1 }),
  ],
  ['RMSprop', () => new RMSprop({ momentum: 0.5, centered: true })],
  ['SGD', () => new SGD({ momentum: 0.9, nesterov: true })],
];

describe('a step that is skipped in mixed precision', { timeout: 120_000 }, () => {
  const gpu = withGpu();
  let weights: TrainingState['tensors'] | undefined;

  /** The same weights each time, and a loss scale of 2^12, which the bad batch halves. */
  async function begin(optimizer: Optimizer, scale = 2 ** 12): Promise<Model> {
    const model = miniVgg().to(gpu());
    model.precision = 'mixed';
    model.compile({ optimizer, loss: 'binaryCrossentropy' });
    const { tensors, numbers } = await exportTrainingState(model);
    weights ??= tensors;
    const lossScale = { shape: [4], data: Float32Array.of(scale, 0, 0, 0) };
    importTrainingState(model, { tensors: { ...weights, lossScale }, numbers });
    return model;
  }

  /** Everything but the loss scale. */
  async function learnt(model: Model): Promise<TrainingState> {
    const { tensors, numbers } = await exportTrainingState(model);
    const { lossScale: _, ...others } = tensors;
    return { tensors: others, numbers };
  }

  it.each(optimizers)('counts for nothing: %s', async (_, make) => {
    const [first, ...others] = good as [Batch, ...Batch[]];
    const [skipping, plain] = [await begin(make()), await begin(make())];
    await skipping.fit(dataset([first, bad, ...others]));
    await plain.fit(dataset(good));
    expect(skipping.compiled.optimizer.iterations).toBe(4);
    const expected = await learnt(plain);
    expect(expected.tensors['weights/dense/kernel']?.data).not.toEqual(
      weights?.['weights/dense/kernel']?.data,
    );
    expect(await learnt(skipping)).toEqual(expected);
    for (const each of [skipping, plain]) each.dispose();
  });

  it('counts for nothing in schedules from the end of its epoch on', async () => {
    const [skipping, plain] = [await begin(falling()), await begin(falling())];
    for (const one of [bad, good[0], bad, bad, good[1], good[2]]) if (one) await skipping.trainOnBatch(one);
    for (const one of good.slice(0, 3)) await plain.trainOnBatch(one);
    expect(skipping.compiled.optimizer.learningRate).toBeCloseTo(0.01 * 0.5 ** 1.5, 10);
    expect(await learnt(skipping)).toEqual(await learnt(plain));
    // Within an epoch nobody tells the CPU.
    const rates: number[] = [];
    await plain.fit(dataset([bad, bad]), {
      callbacks: [
        {
          onBatchEnd: () => void rates.push(plain.compiled.optimizer.learningRate),
          onEpochEnd: () => void rates.push(plain.compiled.optimizer.learningRate),
        },
      ],
    });
    expect(rates.map((rate) => 2 * Math.log2(0.01 / rate))).toEqual(
      [4, 5, 3].map((steps) => expect.closeTo(steps, 6) as number),
    );
    for (const each of [skipping, plain]) each.dispose();
  });

  interface Saved {
    readonly position: FitPosition;
    readonly state: TrainingState;
  }

  /** Saves after a batch of an epoch. */
  function saving(model: Model, at: readonly [epoch: number, index: number]): [Callback, () => Saved] {
    let saved: Saved | undefined;
    const callback: Callback = {
      async onBatchEnd(epoch, index, position) {
        if (epoch !== at[0] || index !== at[1]) return;
        saved = { position: await position(), state: await exportTrainingState(model) };
      },
    };
    const found = (): Saved => {
      if (saved === undefined) throw new Error('nothing was saved');
      return saved;
    };
    return [callback, found];
  }

  it.each([
    // One of the first epoch, which has been settled, and one of the second.
    ['amid an epoch', [1, 3] as const, 6 + 4, [2 ** 10, 1, 1, 0]],
    // The epoch is over but not settled yet, and no batch of it is left.
    ['after the last batch of an epoch', [0, 6] as const, 7, [2 ** 11, 4, 1, 0]],
  ])('is not forgotten by a training that stops %s and goes on', async (_, at, iterations, lossScale) => {
    const all = dataset([...good.slice(0, 2), bad, ...good]);
    const whole = await begin(falling());
    const [callback, saved] = saving(whole, at);
    await whole.fit(all, { epochs: 2, callbacks: [callback] });
    const { state, position } = saved();
    expect(state.numbers['iterations']).toBe(iterations);
    expect([...(state.tensors['lossScale']?.data ?? [])]).toEqual(lossScale);
    const rest = await begin(falling());
    importTrainingState(rest, state);
    await rest.fit(all, { epochs: 2, start: position });
    expect(await exportTrainingState(rest)).toEqual(await exportTrainingState(whole));
    expect(rest.compiled.optimizer.iterations).toBe(12);
    for (const each of [whole, rest]) each.dispose();
  });

  it('is counted by one of several steps that are made at once', async () => {
    const model = await begin(falling());
    await Promise.all([bad, ...good, bad].map((one) => model.trainOnBatch(one)));
    expect(model.compiled.optimizer.iterations).toBe(4);
    await model.trainOnBatch(bad);
    expect(model.compiled.optimizer.iterations).toBe(4);
    model.dispose();
  });

  it('leaves an optimizer that holds memory, which a summary shows', async () => {
    const model = await begin(new Adam());
    await model.fit(dataset([bad, bad]));
    const { optimizer } = model.compiled;
    const used = 2 + 2 * model.countParams();
    expect([optimizer.iterations, optimizer.countParams()]).toEqual([0, used]);
    expect(model.summary()).toContain(`Optimizer params: ${used.toLocaleString('en-US')}`);
    importTrainingState(model, await exportTrainingState(model));
    expect(optimizer.countParams()).toBe(used);
    model.dispose();
  });

  it('ends the training where the loss scale cannot become smaller, but only if no good one follows', async () => {
    const model = await begin(new SGD(), 2);
    await model.fit(dataset([bad, bad, bad, ...good.slice(0, 1)]));
    const before = await readTrainedWeights(model);
    await expect(model.fit(dataset([bad, bad]))).rejects.toMatchObject({
      code: 'training/overflow',
      message: expect.stringContaining('the last 2 steps were skipped') as string,
    });
    expect(await readTrainedWeights(model)).toEqual(before);
    await expect(model.trainOnBatch(bad)).rejects.toThrow('the last 3 steps were skipped');
    model.dispose();
  });

  it('ends a training that goes on from there too, with no batch left', async () => {
    const model = await begin(new SGD(), 1);
    const all = dataset([...good.slice(0, 1), bad]);
    const [callback, saved] = saving(model, [0, 1]);
    const overflow = { code: 'training/overflow' };
    await expect(model.fit(all, { callbacks: [callback] })).rejects.toMatchObject(overflow);
    importTrainingState(model, saved().state);
    await expect(model.fit(all, { start: saved().position })).rejects.toMatchObject(overflow);
    model.dispose();
  });

  it('does not keep the same optimizer from going on in float32', async () => {
    const [stuck, plain] = [await begin(falling(), 1), await begin(falling())];
    await expect(stuck.fit(dataset([bad, bad]))).rejects.toMatchObject({ code: 'training/overflow' });
    expect(stuck.compiled.optimizer.iterations).toBe(0);
    for (const each of [stuck, plain]) {
      each.precision = 'float32';
      await each.fit(dataset(good));
      for (const one of good) await each.trainOnBatch(one);
    }
    expect(await learnt(stuck)).toEqual(await learnt(plain));
    for (const each of [stuck, plain]) each.dispose();
  });
});
