import { describe, expect, it } from 'vitest';
import {
  Adam,
  exportTrainingState,
  importTrainingState,
  readTrainedWeights,
  splitFrozen,
  type Batch,
  type HostArray,
  type Model,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';
import { randoms } from '../testing/numbers.ts';
import { precisionFrom } from './precision.ts';

const vggInput: HostArray = { data: randoms(4 * 20 * 20 * 3), shape: [4, 20, 20, 3] };
const bytes = Uint8Array.from({ length: 3 * 33 * 29 * 3 }, (_, i) => (i * 7919) % 256);
const inceptionInput: HostArray = { data: bytes, shape: [3, 33, 29, 3], preprocess: 'tf' };

function relative(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += ((actual[i] ?? NaN) - (expected[i] ?? NaN)) ** 2;
    norm += (expected[i] ?? NaN) ** 2;
  }
  return Math.sqrt(difference / norm);
}

describe('mixed precision', { timeout: 120_000 }, () => {
  const gpu = withGpu();

  const narrow = withGpu({ bindingLimit: 8192 });

  async function bothWays(model: Model, x: HostArray, on = gpu()): Promise<[HostArray, HostArray]> {
    model.to(on);
    const plain = await model.predict(x);
    model.precision = 'mixed';
    const mixed = await model.predict(x);
    model.precision = 'float32';
    expect(await model.predict(x)).toEqual(plain);
    model.dispose();
    return [plain, mixed];
  }

  it.each([
    ['a plain network', miniVgg, vggInput],
    ['branches, normalisation and bytes', miniInception, inceptionInput],
  ])('predicts what float32 does, but for the rounding of what lies between: %s', async (_, make, x) => {
    const [plain, mixed] = await bothWays(make(), x);
    expect(mixed.shape).toEqual(plain.shape);
    const error = relative(mixed.data, plain.data);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(2e-3);
  });

  it('does so where tensors are larger than a binding, and sums are made in parts', async () => {
    const [plain, mixed] = await bothWays(miniVgg(), vggInput, narrow());
    const error = relative(mixed.data, plain.data);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(2e-3);
  });

  const inceptionBatch: Batch = { x: inceptionInput, y: { data: Uint8Array.of(0, 3, 1), shape: [3] } };

  function trained(precision: Model['precision']): Model {
    const model = miniInception().to(gpu());
    model.precision = precision;
    const optimizer = new Adam({ globalClipNorm: 1 });
    model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    return model;
  }

  async function losses(model: Model, steps: number): Promise<number[]> {
    const found: number[] = [];
    for (let step = 0; step < steps; step++)
      found.push((await model.trainOnBatch(inceptionBatch))['loss'] ?? NaN);
    return found;
  }

  it('learns what float32 learns', async () => {
    const [plain, mixed] = [trained('float32'), trained('mixed')];
    const [expected, found] = [await losses(plain, 6), await losses(mixed, 6)];
    expect(expected.at(-1)).toBeLessThan((expected[0] ?? NaN) - 0.05);
    expect(found).not.toEqual(expected);
    expect(relative(found, expected)).toBeLessThan(5e-3);
    plain.dispose();
    mixed.dispose();
  });

  it('skips a step whose gradients overflow, halves the loss scale, and goes on', async () => {
    const model = trained('mixed');
    await losses(model, 1);
    const state = await exportTrainingState(model);
    expect(state.tensors['lossScale']?.data).toEqual(Float32Array.of(2 ** 15, 1, 0, 0));
    const scaled = { shape: [4], data: Float32Array.of(2 ** 24, 3, 0, 0) };
    importTrainingState(model, { ...state, tensors: { ...state.tensors, lossScale: scaled } });
    await losses(model, 1);
    const after = await exportTrainingState(model);
    expect(after.tensors['lossScale']?.data).toEqual(Float32Array.of(2 ** 23, 0, 0, 0));
    expect(after.numbers['iterations']).toBe(1);
    const learnt = Object.keys(state.tensors).filter(
      (key) => key !== 'lossScale' && !key.includes('moving_'),
    );
    for (const key of learnt) expect(after.tensors[key], key).toEqual(state.tensors[key]);
    model.dispose();
  });

  it('goes on from a state bit for bit', async () => {
    const model = trained('mixed');
    await losses(model, 2);
    const state = await exportTrainingState(model);
    const expected = await losses(model, 2);
    const other = trained('mixed');
    importTrainingState(other, state);
    // Stopped before its first step, it loses nothing either.
    expect(await exportTrainingState(other)).toEqual(state);
    expect(await losses(other, 2)).toEqual(expected);
    expect(await exportTrainingState(other)).toEqual(await exportTrainingState(model));
    for (const each of [model, other]) each.dispose();
  });

  it('does not go on from the state of another precision', async () => {
    const [plain, mixed] = [trained('float32'), trained('mixed')];
    for (const [from, to] of [
      [plain, mixed],
      [mixed, plain],
    ] as const) {
      await losses(from, 1);
      const state = await exportTrainingState(from);
      const before = await readTrainedWeights(to);
      expect(() => {
        importTrainingState(to, state);
      }).toThrow(
        `the training was begun with precision ${from.precision}, and the model's is ${to.precision}`,
      );
      expect(await readTrainedWeights(to)).toEqual(before);
    }
    const { tensors, numbers } = await exportTrainingState(mixed);
    for (const values of [
      [0.5, 0, 0, 0],
      [2 ** 25, 0, 0, 0],
      [NaN, 0, 0, 0],
      [1, -1, 0, 0],
      // More steps were skipped than there were.
      [1, 0, 2, 0],
      [1, 0, 0, 0, 0],
      [2 ** 15, 5],
    ]) {
      const lossScale = { shape: [values.length], data: Float32Array.from(values) };
      expect(() => {
        importTrainingState(mixed, { tensors: { ...tensors, lossScale }, numbers });
      }).toThrow(
        `the loss scale cannot be [${values.join(', ')}] at iteration 1: it is four numbers, the scale from 1`,
      );
    }
    for (const each of [plain, mixed]) each.dispose();
  });

  it('takes about half the memory for what lies between', async () => {
    const peak = async (precision: Model['precision']): Promise<number> => {
      const model = trained(precision);
      await losses(model, 2);
      gpu().trim();
      await gpu().idle();
      const before = gpu().counters().buffers;
      await losses(model, 2);
      expect(gpu().counters().buffers - before).toBeGreaterThan(0);
      const { pooledBytes } = gpu().memory();
      model.dispose();
      gpu().trim();
      return pooledBytes;
    };
    const [plain, mixed] = [await peak('float32'), await peak('mixed')];
    expect(mixed / plain).toBeLessThan(0.75);
  });

  it('goes over to the parts of a split model', () => {
    const model = miniVgg().unfreezeLast(2);
    model.precision = 'mixed';
    const split = splitFrozen(model);
    expect([split?.prefix.precision, split?.suffix.precision]).toEqual(['mixed', 'mixed']);
  });

  it('has a name of its own', () => {
    expect(precisionFrom('mixed', 'a recipe')).toBe('mixed');
    expect(() => precisionFrom('half', 'a recipe')).toThrow(/no precision called half/);
  });
});
