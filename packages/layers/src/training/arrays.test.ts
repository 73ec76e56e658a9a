import { shuffledIndices } from '@convbase/base';
import { describe, expect, it } from 'vitest';
import {
  Add,
  Dataset,
  Dense,
  exportTrainingState,
  importTrainingState,
  input,
  Model,
  NameScope,
  tensor,
  type Callback,
  type FitArraysConfig,
  type FitPosition,
  type HostArray,
  type TrainingState,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms } from '../testing/numbers.ts';
import { binary, classifier } from '../testing/rings.ts';

const count = 20;
const x: HostArray = { data: randoms(2 * count), shape: [count, 2] };
const y: HostArray = { data: Float32Array.from({ length: count }, (_, i) => i % 2), shape: [count] };

const pick = ({ data, shape }: HostArray, rows: ArrayLike<number>): HostArray => {
  const size = data.length / (shape[0] ?? 1);
  const values = Array.from(rows, (row) => [...data.subarray(row * size, (row + 1) * size)]).flat();
  return { data: Float32Array.from(values), shape: [rows.length, ...shape.slice(1)] };
};

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('arrays', () => {
  const gpu = withGpu();

  function compiled(): Model {
    const model = classifier().to(gpu());
    model.seed(3);
    model.compile({ optimizer: 'adam', ...binary });
    return model;
  }

  const weightsOf = async (model: Model): Promise<Float32Array[]> =>
    Promise.all(model.weights.map(async (weight) => (await weight.read()).slice()));

  it('are trained on in batches of 32 and shuffled, as Keras does', async () => {
    const many = { data: randoms(2 * 70), shape: [70, 2] };
    const labels = { data: Float32Array.from({ length: 70 }, (_, i) => i % 2), shape: [70] };
    const [plain, byHand] = [compiled(), compiled()];
    const seen: number[] = [];
    const callbacks: Callback[] = [{ onBatchEnd: (_, batch) => void seen.push(batch) }];
    const found = await plain.fit(many, labels, { epochs: 2, callbacks });
    expect(seen).toEqual([0, 1, 2, 0, 1, 2]);
    const expected = await byHand.fit(
      {
        *batches(epoch) {
          const order = shuffledIndices(70, 0, epoch);
          for (let from = 0; from < 70; from += 32) {
            const rows = order.subarray(from, from + 32);
            yield { x: pick(many, rows), y: pick(labels, rows) };
          }
        },
      },
      { epochs: 2 },
    );
    expect(found).toEqual(expected);
    expect(await weightsOf(plain)).toEqual(await weightsOf(byHand));
    plain.dispose();
    byHand.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('lose their last samples to validation before they are shuffled', async () => {
    const [split, apart] = [compiled(), compiled()];
    const options: FitArraysConfig = { batchSize: 4, epochs: 2, seed: 9 };
    const found = await split.fit(x, y, { ...options, validationSplit: 0.3 });
    const [front, back] = [range(0, 14), range(14, 20)];
    const expected = await apart.fit(pick(x, front), pick(y, front), {
      ...options,
      validationData: [pick(x, back), pick(y, back)],
    });
    expect(Object.keys(found.history)).toContain('val_accuracy');
    expect(found).toEqual(expected);
    const given = await split.fit(x, y, { validationSplit: 0.3, validationData: [x, y] });
    const { loss } = await split.evaluate(x, y);
    expect(given.history['val_loss']).toEqual([loss]);
    split.dispose();
    apart.dispose();
  });

  it('may be tensors, which stay what they are', async () => {
    const [hosts, tensors] = [compiled(), compiled()];
    const [tx, ty] = [tensor(gpu(), x.data, x.shape), tensor(gpu(), Int32Array.from(y.data), y.shape)];
    const config: FitArraysConfig = { shuffle: false, batchSize: 8, epochs: 2 };
    const expected = await hosts.fit(x, y, { ...config, validationData: [x, y, y] });
    const found = await tensors.fit(tx, ty, { ...config, validationData: [tx, ty, y] });
    expect(found).toEqual(expected);
    expect(await tensors.evaluate(tx, ty, { batchSize: 3 })).toEqual(
      await tensors.evaluate(x, y, { batchSize: 3 }),
    );
    expect(await tensors.predict(tx)).toEqual(await tensors.predict(x));
    expect([...(await tx.data())]).toEqual([...x.data]);
    tx.dispose();
    await expect(tensors.predict(tx)).rejects.toMatchObject({ code: 'tensor/disposed' });
    for (const each of [hosts, tensors, ty]) each.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('weigh samples, and are evaluated and predicted in batches of the wanted size', async () => {
    const model = compiled();
    const sampleWeight = { data: Float32Array.from({ length: count }, (_, i) => i % 3), shape: [count] };
    const arrays = await model.evaluate(x, y, { batchSize: 6, sampleWeight });
    const dataset = Dataset.fromTensorSlices({ x, y, sampleWeight }).batch(6);
    expect(arrays).toEqual(await model.evaluate(dataset));
    expect(arrays).not.toEqual(await model.evaluate(x, y, { batchSize: 6 }));
    expect(await model.predict(dataset)).toEqual(await model.predict(x, { batchSize: 6 }));
    const { history } = await model.fit(x, y, { sampleWeight, epochs: 1 });
    expect(history['loss']).toHaveLength(1);
    model.dispose();
  });

  it('are one for each input of a model with several', async () => {
    const names = new NameScope();
    const [a, b] = [input({ shape: [2], names }), input({ shape: [2], names })];
    const outputs = new Dense({ units: 1, activation: 'sigmoid', names }).apply(
      new Add({ names }).apply([a, b]),
    );
    const model = new Model({ inputs: [a, b], outputs, names }).to(gpu());
    model.compile({ optimizer: 'sgd', ...binary });
    const { history } = await model.fit([x, x], y, { epochs: 2, validationSplit: 0.2 });
    expect(history['val_loss']).toHaveLength(2);
    expect((await model.predict([x, x], { batchSize: 7 })).shape).toEqual([count, 1]);
    await expect(model.fit([x, pick(x, [1])], y)).rejects.toMatchObject({ code: 'batch/length' });
    model.dispose();
  });

  it.each([
    [
      'arrays',
      (model: Model, config: object) => model.fit(x, y, { batchSize: 3, validationSplit: 0.2, ...config }),
    ],
    [
      'a dataset',
      (model: Model, config: object) =>
        model.fit(Dataset.fromTensorSlices({ x, y }).shuffle(7, 2).batch(3), {
          validationData: [x, y],
          ...config,
        }),
    ],
  ])('go on in the middle of an epoch: %s', async (_, train) => {
    const whole = compiled();
    let saved: { position: FitPosition; training: TrainingState } | undefined;
    const save: Callback = {
      async onBatchEnd(epoch, batch, position) {
        if (epoch !== 1 || batch !== 2) return;
        saved = { position: await position(), training: await exportTrainingState(whole) };
      },
    };
    const { history } = await train(whole, { epochs: 3, callbacks: [save] });
    const rest = compiled();
    if (saved === undefined) throw new Error('nothing was saved');
    importTrainingState(rest, saved.training);
    const resumed = await train(rest, { epochs: 3, start: saved.position });
    expect(resumed.epoch).toEqual([1, 2]);
    for (const [key, values] of Object.entries(resumed.history))
      expect(values).toEqual(history[key]?.slice(1));
    expect(await weightsOf(rest)).toEqual(await weightsOf(whole));
    whole.dispose();
    rest.dispose();
  });

  it('leave a steady state alone: an epoch like the one before makes nothing', async () => {
    const model = compiled();
    const after: { buffers: number; bindGroups: number; pipelines: number }[] = [];
    const note: Callback = {
      onEpochEnd: async () => {
        const { buffers, bindGroups, pipelines } = gpu().counters();
        after.push({ buffers, bindGroups, pipelines });
      },
    };
    await model.fit(x, y, { batchSize: 5, epochs: 4, callbacks: [note] });
    expect(after[3]).toEqual(after[2]);
    model.dispose();
  });

  it.each<[string, (model: Model) => Promise<unknown>, string]>([
    ['no labels', (m) => m.fit(x, undefined as unknown as HostArray), 'labels/missing'],
    ['no labels to evaluate by', (m) => m.evaluate(x, undefined as unknown as HostArray), 'labels/missing'],
    ['fewer labels', (m) => m.fit(x, pick(y, [1, 2])), 'labels/shape'],
    ['options for labels', (m) => m.fit(x, { epochs: 2 } as unknown as HostArray), 'array/type'],
    ['nothing', (m) => m.fit(null as unknown as HostArray, y), 'array/type'],
    ['plain numbers', (m) => m.predict([[1, 2]] as unknown as HostArray[]), 'array/type'],
    ['no samples', (m) => m.fit(pick(x, []), pick(y, [])), 'dataset/empty'],
    ['a batch of nothing', (m) => m.fit(x, y, { batchSize: 0 }), 'batches/size'],
    ['a batch of NaN', (m) => m.evaluate(x, y, { batchSize: NaN }), 'batches/size'],
    [
      'a validation batch of NaN',
      (m) => m.fit(x, y, { validationData: [x, y], validationBatchSize: NaN }),
      'batches/size',
    ],
    ['a seed that is none', (m) => m.fit(x, y, { seed: 0.5 }), 'dataset/count'],
    ['a split of everything', (m) => m.fit(x, y, { validationSplit: 1 }), 'training/validation-split'],
    [
      'a split of less than a sample',
      (m) => m.fit(pick(x, [1]), pick(y, [1]), { validationSplit: 0.1 }),
      'training/validation-split',
    ],
    ['a split by NaN', (m) => m.fit(x, y, { validationSplit: NaN }), 'training/validation-split'],
    [
      'validation without labels',
      (m) => m.fit(x, y, { validationData: [x] as unknown as [HostArray, HostArray] }),
      'training/validation-data',
    ],
    [
      'validation on an array',
      (m) => m.fit(x, y, { validationData: x as unknown as Dataset }),
      'training/validation-data',
    ],
    ['wrong validation shapes', (m) => m.fit(x, y, { validationData: [x, pick(y, [1])] }), 'labels/shape'],
    ['another input shape', (m) => m.fit({ ...x, shape: [count, 2, 1] }, y), 'model/input'],
    [
      'single samples',
      (m) => m.fit(Dataset.fromTensorSlices({ x, y }) as unknown as Dataset),
      'dataset/unbatched',
    ],
    [
      'labels beside a dataset',
      (m) => m.fit(Dataset.fromTensorSlices({ x, y }).batch(2), y as object),
      'dataset/options',
    ],
    [
      'a batch size beside a dataset',
      (m) => m.evaluate(Dataset.fromTensorSlices({ x, y }).batch(2), { batchSize: 3 } as object),
      'dataset/options',
    ],
    [
      'a split of a dataset',
      (m) => m.fit(Dataset.fromTensorSlices({ x, y }).batch(2), { validationSplit: 0.5 } as object),
      'dataset/options',
    ],
    [
      'weights beside class weights',
      (m) => m.fit(x, y, { sampleWeight: y, classWeight: { 0: 1 } }),
      'training/class-weight',
    ],
  ])('are refused: %s', async (_, run, code) => {
    const model = compiled();
    await expect(run(model)).rejects.toMatchObject({ code });
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });
});
