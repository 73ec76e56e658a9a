import { describe, expect, it } from 'vitest';
import { metricFrom, SGD, type Callback, type Network } from '../index.ts';
import { lossFrom } from '../losses/index.ts';
import { toCamelCase } from '../layers/names.ts';
import { withGpu } from '../testing/gpu.ts';
import { binary, classifier, rings } from '../testing/rings.ts';
import { callbackTraces } from '../testing/traces.ts';
import { EarlyStopping, LearningRateScheduler, Monitor, ReduceLROnPlateau, TerminateOnNaN } from './index.ts';

/** What callbacks need of a model, and nothing more. */
function network(learningRate = 0.5): Network {
  return {
    name: 'model',
    stopTraining: false,
    compiled: {
      optimizer: new SGD({ learningRate }),
      loss: lossFrom('mse'),
      metrics: [metricFrom('accuracy')],
    },
    weights: [],
    trainableWeights: [],
  } as unknown as Network;
}

/** A Keras configuration as ours. */
function ours(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [toCamelCase(key), value]));
}

/** A value of a trace, which JSON may have had to write as text. */
const numeric = (value: number | string | null): number | null => (value === null ? null : Number(value));

/**
 * Goes through the epochs of a trace; after each the callback is left behind for a new one with its state, as when a
 * training goes on in another process.
 */
async function follow<C extends Callback>(
  make: () => C,
  key: string,
  values: readonly (number | string | null)[],
  check: (callback: C, model: Network, logs: Record<string, number>, epoch: number) => void,
): Promise<void> {
  const model = network();
  let callback = make();
  callback.setModel?.(model);
  await callback.onTrainBegin?.();
  for (const [epoch, raw] of values.entries()) {
    const value = numeric(raw);
    const logs: Record<string, number> = { loss: 1, ...(value === null ? {} : { [key]: value }) };
    const next = make();
    const state = await callback.getState?.();
    if (state !== undefined) await next.setState?.(JSON.parse(JSON.stringify(state)) as typeof state);
    callback = next;
    callback.setModel?.(model);
    await callback.onTrainBegin?.();
    await callback.onEpochBegin?.(epoch);
    await callback.onEpochEnd?.(epoch, logs, () => Promise.reject(new Error('not asked for')));
    check(callback, model, logs, epoch);
    if (model.stopTraining) break;
  }
  await callback.onTrainEnd?.();
}

describe('EarlyStopping', () => {
  for (const [index, { config, values, trace, restored }] of callbackTraces.earlyStopping.entries()) {
    it(`decides as Keras', case ${index}`, async () => {
      let epochs = 0;
      let bestEpoch: number | null = null;
      await follow(
        () => new EarlyStopping({ ...ours(config), print: () => undefined }),
        String(config['monitor']),
        values,
        (callback, model, _logs, epoch) => {
          const { wait, stoppedEpoch } = callback.getState().json as Record<string, string>;
          const expected = trace[epoch];
          expect({
            wait: Number(wait),
            best: callback.best.value,
            bestEpoch: callback.best.epoch,
            stoppedEpoch: Number(stoppedEpoch),
            stop: model.stopTraining,
          }).toEqual(expected && { ...expected, best: numeric(expected.best) });
          bestEpoch = callback.getState().tensors === undefined ? null : callback.best.epoch;
          epochs++;
        },
      );
      expect(epochs).toBe(trace.length);
      expect(bestEpoch).toBe(restored);
    });
  }

  const gpu = withGpu();

  it('puts the best weights back, and stops again when a stopped training goes on', async () => {
    const model = classifier().to(gpu());
    model.compile({ optimizer: new SGD({ learningRate: 0.5 }), ...binary });
    const lines: string[] = [];
    const stopping = new EarlyStopping({
      monitor: 'loss',
      mode: 'max', // the first epoch is the best
      patience: 2,
      restoreBestWeights: true,
      print: (line) => void lines.push(line),
    });
    const weights: number[][] = [];
    const watch: Callback = {
      onEpochEnd: async () => void weights.push([...(await model.getWeight('dense/kernel').read())]),
    };
    const { epoch } = await model.fit(rings(64, 16), { epochs: 9, callbacks: [watch, stopping] });
    expect(epoch).toEqual([0, 1, 2]);
    expect(stopping.stoppedEpoch).toBe(2);
    expect([...(await model.getWeight('dense/kernel').read())]).toEqual(weights[0]);
    expect(weights[2]).not.toEqual(weights[0]);
    expect(lines).toEqual([
      'Epoch 3: early stopping',
      'Restoring model weights from the end of the best epoch: 1.',
    ]);

    const again = new EarlyStopping({ monitor: 'loss', patience: 2, restoreBestWeights: true });
    again.setState(stopping.getState());
    const { epoch: more } = await model.fit(rings(64, 16), {
      epochs: 9,
      initialEpoch: 3,
      callbacks: [again],
    });
    expect(more).toEqual([]);
    model.dispose();
  });
});

describe('ReduceLROnPlateau', () => {
  for (const [index, { config, values, trace }] of callbackTraces.reduceLROnPlateau.entries()) {
    it(`decides as Keras', case ${index}`, async () => {
      await follow(
        () => new ReduceLROnPlateau({ ...ours(config), print: () => undefined }),
        String(config['monitor']),
        values,
        (callback, model, logs, epoch) => {
          const { wait, best, cooldown } = callback.getState().json as Record<string, string | null>;
          const expected = trace[epoch];
          expect({
            wait: Number(wait),
            best: numeric(best ?? null),
            cooldown: Number(cooldown),
            logged: logs['learning_rate'],
            learningRate: Math.fround(model.compiled.optimizer.learningRate),
          }).toEqual(expected && { ...expected, best: numeric(expected.best) });
        },
      );
    });
  }

  it('has to reduce', () => {
    expect(() => new ReduceLROnPlateau({ factor: 1 })).toThrow('does not reduce');
  });
});

describe('LearningRateScheduler', () => {
  it("sets Keras' rates", async () => {
    const logged: unknown[] = [];
    await follow(
      () => new LearningRateScheduler((epoch, rate) => (epoch >= 2 ? rate * 0.7 : rate)),
      'val_loss',
      [1, 1, 1, 1, 1, 1],
      (_callback, _model, logs) => void logged.push(logs['learning_rate']),
    );
    expect(logged).toEqual(callbackTraces.learningRateScheduler.flat().map((step) => step.logged));
  });

  it('refuses what is no number', () => {
    const scheduler = new LearningRateScheduler(() => NaN);
    scheduler.setModel(network());
    expect(() => {
      scheduler.onEpochBegin(0);
    }).toThrow('gave NaN');
  });
});

describe('TerminateOnNaN', () => {
  const gpu = withGpu();

  it('ends training behind the batch that spoils the loss, in order or with an error', async () => {
    const train = async (callback: Callback): Promise<number[]> => {
      const model = classifier().to(gpu());
      model.compile({ optimizer: new SGD({ learningRate: 0.1 }), ...binary });
      const batches: number[] = [];
      const spoil: Callback = {
        onBatchEnd: async (_epoch, batch) => {
          batches.push(batch);
          if (batch === 1) model.getWeight('dense_1/bias').assign(Float32Array.of(NaN));
        },
      };
      try {
        const { epoch, history } = await model.fit(rings(64, 8), { epochs: 3, callbacks: [spoil, callback] });
        expect(epoch).toEqual([0]);
        expect(history['loss']).toEqual([NaN]);
      } finally {
        model.dispose();
      }
      return batches;
    };
    expect(await train(new TerminateOnNaN())).toEqual([0, 1, 2]);
    await expect(train(new TerminateOnNaN({ raiseError: true }))).rejects.toMatchObject({
      code: 'training/diverged',
    });
  });
});

describe('Monitor', () => {
  it('has to know what is better', () => {
    const better = (monitor: string, value: number): boolean =>
      new Monitor({ monitor }).improves(value, 0.5, network());
    expect([better('val_loss', 0.4), better('loss', 0.6)]).toEqual([true, false]);
    expect([better('val_accuracy', 0.4), better('accuracy', 0.6)]).toEqual([false, true]);
    expect(() => better('val_speed', 1)).toThrow("Set mode to 'max' or 'min'");
  });

  it('says once that there is nothing to watch', () => {
    const lines: string[] = [];
    const monitor = new Monitor({});
    const logs = { loss: 1, accuracy: 1 };
    for (let i = 0; i < 3; i++) {
      expect(monitor.read('It', logs, network(), (line) => void lines.push(line))).toBeUndefined();
    }
    expect(lines).toEqual(['It looks at val_loss, but there is only loss, accuracy.']);
    expect(new Monitor({ monitor: 'accuracy' }).read('It', logs, network())).toBe(1);
  });

  it("takes a name that the model does not have for a slip, also where no such number comes, as Keras' does", () => {
    const callback = new EarlyStopping({ monitor: 'val_acc' });
    callback.setModel(network());
    return expect(callback.onEpochEnd(0, { loss: 1, val_loss: 1 })).rejects.toMatchObject({
      code: 'callback/monitor',
    });
  });

  it('compares as float32 numbers do', () => {
    const same = new Monitor({ monitor: 'loss' });
    expect(same.improves(0.5 - 1e-9, 0.5, network())).toBe(false);
    expect(same.improves(0.5 - 1e-6, 0.5, network())).toBe(true);
    expect(same.improves(NaN, 0.5, network())).toBe(false);
  });
});
