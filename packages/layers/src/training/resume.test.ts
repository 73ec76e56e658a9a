import { describe, expect, it } from 'vitest';
import {
  Adam,
  BatchNormalization,
  Conv2D,
  CosineDecay,
  Dense,
  Dropout,
  EarlyStopping,
  exportCallbackStates,
  exportTrainingState,
  Flatten,
  importCallbackStates,
  importTrainingState,
  input,
  l2,
  LearningRateScheduler,
  NameScope,
  ReduceLROnPlateau,
  RMSprop,
  Sequential,
  SGD,
  type Batch,
  type Callback,
  type CallbackState,
  type Dataset,
  type FitConfig,
  type FitPosition,
  type Model,
  type Optimizer,
  type TrainingState,
} from '../index.ts';
import { uniformStream } from '../layers/random.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms } from '../testing/numbers.ts';

/** Everything that has a state of its own: moving statistics, dropout, and whatever the optimizer keeps. */
function network(optimizer: Optimizer): Model {
  const names = new NameScope();
  const model = new Sequential({
    names,
    layers: [
      input({ shape: [6, 6, 3], names }),
      new Conv2D({ filters: 3, kernelSize: 3, useBias: false, kernelRegularizer: l2(1e-3), names }),
      new BatchNormalization({ names, momentum: 0.8 }),
      new Flatten({ names }),
      new Dropout({ rate: 0.3, names }),
      new Dense({ units: 3, activation: 'softmax', names }),
    ],
  });
  model.seed(7);
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** 11 samples in batches of 3 with a new order in every epoch. */
const pictures: Dataset = {
  batchCount: 4,
  *batches(epoch, first = 0): Generator<Batch> {
    const next = uniformStream(100 + epoch);
    const order = Array.from({ length: 11 }, (_, i) => ({ i, key: next() })).sort((a, b) => a.key - b.key);
    for (let from = 3 * first; from < order.length; from += 3) {
      const rows = order.slice(from, from + 3).map(({ i }) => i);
      const data = rows.flatMap((row) => [...randoms(108, row + 1).map((v) => 128 + 100 * v)]);
      yield {
        x: { data: Uint8Array.from(data), shape: [rows.length, 6, 6, 3], preprocess: 'tf' },
        y: { data: Uint8Array.from(rows, (row) => row % 3), shape: [rows.length] },
      };
    }
  },
};

const settings: FitConfig = {
  epochs: 4,
  stepsPerEpoch: 3,
  validationData: pictures,
  validationSteps: 2,
  classWeight: { 0: 2, 2: 0.5 },
};

const makeCallbacks = (): Callback[] => [
  new EarlyStopping({ monitor: 'loss', patience: 2, minDelta: 0.05, restoreBestWeights: true }),
  new ReduceLROnPlateau({ monitor: 'val_accuracy', patience: 1, factor: 0.5, minDelta: 0.02 }),
];

type Rows = [number, Record<string, number>][];

/** Notes the means of each epoch. */
function noting(rows: Rows): Callback {
  return { onEpochEnd: (epoch, logs) => void rows.push([epoch, { ...logs }]) };
}

async function weightsOf(model: Model): Promise<Record<string, number[]>> {
  const all: Record<string, number[]> = {};
  for (const weight of model.weights) all[weight.path] = [...(await weight.read())];
  return all;
}

interface Saved {
  readonly position: FitPosition;
  readonly training: TrainingState;
  readonly callbacks: Record<string, CallbackState>;
}

describe('a training that is stopped and goes on in another model', () => {
  const gpu = withGpu();

  /** The whole training at once. */
  async function straight(
    optimizer: Optimizer,
    callbacks: Callback[],
    onBatch?: (model: Model) => Promise<void>,
  ): Promise<{ rows: Rows; weights: Record<string, number[]> }> {
    const model = network(optimizer).to(gpu());
    const rows: Rows = [];
    const spy: Callback = { onBatchEnd: () => onBatch?.(model) };
    await model.fit(pictures, { ...settings, callbacks: [...callbacks, noting(rows), spy] });
    const weights = await weightsOf(model);
    model.dispose();
    return { rows, weights };
  }

  /** The same, stopped after some steps and continued from what JSON and arrays can hold. */
  async function interrupted(
    stopAfter: number,
    makeOptimizer: () => Optimizer,
    make: () => Callback[],
  ): Promise<{ rows: Rows; weights: Record<string, number[]> }> {
    const rows: Rows = [];
    const saved = await firstPart(stopAfter, makeOptimizer(), make(), rows);
    const model = network(makeOptimizer()).to(gpu());
    importTrainingState(model, saved.training);
    const callbacks = make();
    await importCallbackStates(callbacks, saved.callbacks);
    await model.fit(pictures, {
      ...settings,
      start: JSON.parse(JSON.stringify(saved.position)) as FitPosition,
      callbacks: [...callbacks, noting(rows)],
    });
    const weights = await weightsOf(model);
    model.dispose();
    return { rows, weights };
  }

  async function firstPart(
    stopAfter: number,
    optimizer: Optimizer,
    callbacks: Callback[],
    rows: Rows,
  ): Promise<Saved> {
    const model = network(optimizer).to(gpu());
    const controller = new AbortController();
    let done = 0;
    let saved: Saved | undefined;
    const stopper: Callback = {
      onBatchEnd: () => {
        if (++done === stopAfter) controller.abort();
      },
      onAbort: async (position) => {
        const states = await exportCallbackStates(callbacks);
        const plain = Object.entries(states).map(([name, { json, ...rest }]) => [
          name,
          { json: JSON.parse(JSON.stringify(json)) as unknown, ...rest },
        ]);
        saved = {
          position,
          training: await exportTrainingState(model),
          callbacks: Object.fromEntries(plain) as Record<string, CallbackState>,
        };
      },
    };
    await expect(
      model.fit(pictures, {
        ...settings,
        callbacks: [...callbacks, noting(rows), stopper],
        signal: controller.signal,
      }),
    ).rejects.toMatchObject({ code: 'run/aborted' });
    model.dispose();
    if (saved === undefined) throw new Error('onAbort was not called');
    return saved;
  }

  const optimizers: Record<string, () => Optimizer> = {
    'Adam with amsgrad': () => new Adam({ learningRate: 0.02, amsgrad: true }),
    'RMSprop with momentum, centred': () =>
      new RMSprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
    'SGD with momentum, clipped': () =>
      new SGD({ learningRate: 0.05, momentum: 0.9, nesterov: true, globalClipNorm: 0.5 }),
  };
  const stops = { 'Adam with amsgrad': [1, 5], 'RMSprop with momentum, centred': [4, 9] };

  for (const [name, makeOptimizer] of Object.entries(optimizers)) {
    it(`is the same to the last bit: ${name}`, async () => {
      const whole = await straight(makeOptimizer(), makeCallbacks());
      expect(whole.rows.length).toBeGreaterThan(2);
      expect(Object.keys(whole.rows[0]?.[1] ?? {})).toContain('learning_rate');
      for (const stopAfter of (stops as Record<string, number[]>)[name] ?? [3, 7]) {
        const parts = await interrupted(stopAfter, makeOptimizer, makeCallbacks);
        expect(parts.rows, `stopped after ${stopAfter}`).toEqual(whole.rows);
        expect(parts.weights, `stopped after ${stopAfter}`).toEqual(whole.weights);
      }
    });
  }

  it('keeps to its schedules', async () => {
    const cosine = (): Optimizer =>
      new Adam({
        learningRate: new CosineDecay({
          initialLearningRate: 0.001,
          warmupTarget: 0.03,
          warmupSteps: 3,
          decaySteps: 9,
        }),
      });
    const none = (): Callback[] => [];
    expect(await interrupted(5, cosine, none)).toEqual(await straight(cosine(), []));

    const sgd = (): Optimizer => new SGD({ learningRate: 0.1 });
    const falling = (): Callback[] => [new LearningRateScheduler((_epoch, rate) => 0.7 * rate)];
    expect(await interrupted(5, sgd, falling)).toEqual(await straight(sgd(), falling()));
  });

  it('is not disturbed by reading its state and position', async () => {
    const whole = await straight(new Adam(), makeCallbacks());
    const watched = await straight(new Adam(), makeCallbacks(), async (model) => {
      await exportTrainingState(model);
    });
    expect(watched).toEqual(whole);
  });

  it('gives positions at the end of batches and epochs that can be gone on from as well', async () => {
    const model = network(new SGD()).to(gpu());
    const positions: FitPosition[] = [];
    await model.fit(pictures, {
      epochs: 2,
      callbacks: [
        {
          onBatchEnd: async (_epoch, _batch, position) => void positions.push(await position()),
          onEpochEnd: async (_epoch, _logs, position) => void positions.push(await position()),
        },
      ],
    });
    expect(positions.map(({ epoch, batch }) => [epoch, batch])).toEqual(
      [0, 1].flatMap((epoch) => [...[1, 2, 3, 4].map((batch) => [epoch, batch]), [epoch + 1, 0]]),
    );
    expect(positions[3]?.totals?.samples).toBe(11);
    expect(positions[4]).toEqual({ epoch: 1, batch: 0, totals: null });
    // After the last batch only validation and the end of the epoch are left.
    const end = positions[3];
    if (end === undefined) throw new Error('no position');
    const steps: number[] = [];
    const { epoch, history } = await model.fit(pictures, {
      start: end,
      callbacks: [{ onBatchEnd: (_epoch, batch) => void steps.push(batch) }],
    });
    expect(epoch).toEqual([0]);
    expect(steps).toEqual([]);
    const [lossBits] = Float32Array.from(new Float32Array(Uint32Array.from(end.totals?.sums ?? []).buffer));
    expect(history['loss']).toEqual([(lossBits ?? NaN) / 11]);
    model.dispose();
  });

  it('knows that only validation was left', async () => {
    const model = network(new SGD()).to(gpu());
    const controller = new AbortController();
    const validationData: Dataset = {
      *batches() {
        controller.abort();
        yield* pictures.batches(0) as Iterable<Batch>;
      },
    };
    const positions: FitPosition[] = [];
    const fit = model.fit(pictures, {
      epochs: 2,
      validationData,
      callbacks: [{ onAbort: (position) => void positions.push(position) }],
      signal: controller.signal,
    });
    await expect(fit).rejects.toMatchObject({ code: 'run/aborted' });
    expect(positions).toMatchObject([{ epoch: 0, batch: 4, totals: { samples: 11 } }]);
    model.dispose();
  });
});
