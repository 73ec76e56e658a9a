import { describe, expect, it } from 'vitest';
import {
  Dense,
  Dropout,
  exportTrainingState,
  importTrainingState,
  input,
  readTrainedWeights,
  Sequential,
  SGD,
  type Model,
  type TrainingState,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { binary, classifier, rings } from '../testing/rings.ts';

describe('the state of a training', () => {
  const gpu = withGpu();

  it('tells weights and streams of one name apart', async () => {
    const tower = (name: string): Sequential =>
      new Sequential({
        name,
        layers: [
          input({ shape: [2], name: `${name}_input` }),
          new Dense({ units: 2, name: 'dense' }),
          new Dropout({ rate: 0.5, name: 'dropout' }),
        ],
      });
    const build = (): Model => {
      const model = new Sequential({
        name: 'twins',
        layers: [tower('one'), tower('two'), new Dense({ units: 1, activation: 'sigmoid', name: 'head' })],
      }).to(gpu());
      model.compile({ optimizer: new SGD({ momentum: 0.9 }), ...binary });
      return model;
    };
    const model = build();
    await model.fit(rings(16, 4));
    const state = await exportTrainingState(model);
    expect(Object.keys(state.tensors).filter((key) => key.startsWith('weights'))).toEqual([
      'weights/dense/kernel',
      'weights/dense/bias',
      'weights/dense/kernel#1',
      'weights/dense/bias#1',
      'weights/head/kernel',
      'weights/head/bias',
    ]);
    expect(state.numbers).toMatchObject({ 'random/dropout': 32, 'random/dropout#1': 32 });
    const other = build();
    importTrainingState(other, state);
    expect(await exportTrainingState(other)).toEqual(state);
    for (const each of [model, other]) each.dispose();
  });

  it('of another model or optimizer is refused, and nothing is changed', async () => {
    const model = classifier((names) => [new Dropout({ rate: 0.5, names })]).to(gpu());
    model.compile({ optimizer: 'adam', ...binary });
    await model.fit(rings(16, 4));
    const state = await exportTrainingState(model);
    const before = await readTrainedWeights(model);
    const refuses = (changed: Partial<TrainingState>, text: string): void => {
      expect(() => {
        importTrainingState(model, { ...state, ...changed });
      }).toThrow(text);
    };
    const { 'weights/dense/bias': bias, ...others } = state.tensors;
    if (bias === undefined) throw new Error('no bias');
    refuses({ tensors: others }, 'lacks dense/bias');
    refuses({ tensors: { ...state.tensors, 'weights/dense_9/bias': bias } }, 'no weight dense_9/bias');
    refuses({ tensors: { ...state.tensors, 'weights/dense/kernel': bias } }, 'dense/kernel has shape');
    refuses({ tensors: { ...state.tensors, 'optimizer/velocity/dense/bias': bias } }, 'keeps no velocity');
    refuses({ tensors: { ...state.tensors, 'gradients/dense/bias': bias } }, 'no place for gradients');
    refuses({ numbers: { ...state.numbers, 'random/dropout_9': 1 } }, 'no layer dropout_9');
    for (const key of ['random/dropout', 'iterations', 'learningRate']) {
      const { [key]: _, ...rest } = state.numbers;
      refuses({ numbers: rest }, `the state lacks ${key}`);
    }
    refuses({ numbers: { ...state.numbers, iterations: -1 } }, 'iterations cannot be -1');
    refuses({ numbers: { ...state.numbers, learningRate: NaN } }, 'learningRate cannot be NaN');
    expect(await readTrainedWeights(model)).toEqual(before);
    expect(Object.keys(state.tensors).length).toBe(4 + 2 * 4);
    expect(state.numbers).toEqual({
      iterations: 4,
      learningRate: 0.001,
      'random/dropout': expect.any(Number) as number,
    });
    const totals = { samples: 3, sums: [0], chances: [] }; // of no metric
    await expect(model.fit(rings(16, 4), { start: { epoch: 0, batch: 1, totals } })).rejects.toMatchObject({
      code: 'state/mismatch',
    });
    const nowhere = { epoch: 0.5, batch: 1, totals: null };
    await expect(model.fit(rings(16, 4), { start: nowhere })).rejects.toThrow('no batch 1 of epoch 0.5');
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });
});
