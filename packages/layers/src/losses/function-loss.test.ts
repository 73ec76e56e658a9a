import { describe, expect, it } from 'vitest';
import {
  Dense,
  EarlyStopping,
  FunctionLoss,
  input,
  MeanSquaredError,
  NameScope,
  ops,
  Sequential,
  SGD,
  type CompileConfig,
  type HostArray,
  type Model,
  type TapedTensor,
  type TensorFunction,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms } from '../testing/numbers.ts';

const n = 12;
const x: HostArray = { data: randoms(2 * n, 3), shape: [n, 2] };
const y: HostArray = { data: Float32Array.from({ length: n }, (_, i) => (i * 7) % 2), shape: [n, 1] };
const sampleWeight: HostArray = {
  data: Float32Array.from({ length: n }, (_, i) => 0.5 + (i % 3)),
  shape: [n],
};

const squaredError: TensorFunction = (yTrue, yPred) => yPred.sub(yTrue).square();

/** Lin et al., 2017, with gamma 2 and alpha 1. */
const focal: TensorFunction = (yTrue, yPred) => {
  const p = yPred.clipByValue(1e-7, 1 - 1e-7);
  const right = yTrue.mul(p).add(yTrue.sub(1).mul(p.sub(1)));
  return right.sub(1).square().mul(right.log()).neg().mean(-1);
};

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** The same of one sample in float64. */
function focalOf(label: number, p: number): number {
  const right = label === 1 ? p : 1 - p;
  return -((1 - right) ** 2) * Math.log(right);
}

describe("a loss of one's own", () => {
  const gpu = withGpu();

  function model(
    units: number,
    activation: string,
    config: Partial<CompileConfig> & Pick<CompileConfig, 'loss'>,
  ): Model {
    const names = new NameScope();
    const layers = [input({ shape: [2], names }), new Dense({ units, activation, names })];
    const made = new Sequential({ layers, names }).to(gpu());
    made.seed(5);
    made.compile({ optimizer: new SGD({ learningRate: 0.5 }), ...config });
    return made;
  }

  const weightsOf = async (of: Model): Promise<number[]> =>
    (await Promise.all(of.weights.map(async (weight) => [...(await weight.read())]))).flat();

  const expectClose = (found: readonly number[], expected: readonly number[], tolerance: number): void => {
    expect(found).toHaveLength(expected.length);
    found.forEach((value, i) => {
      expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(tolerance);
    });
  };

  it.each([
    ['', {}],
    [', weighed', { sampleWeight }],
  ])('trains as the built-in mean squared error does%s', async (_, weighed) => {
    const two: HostArray = { data: randoms(3 * n, 8), shape: [n, 3] };
    const [own, built] = [squaredError, new MeanSquaredError()].map((loss) => model(3, 'tanh', { loss })) as [
      Model,
      Model,
    ];
    const options = { batchSize: 5, epochs: 10, ...weighed };
    const [found, expected] = [await own.fit(x, two, options), await built.fit(x, two, options)];
    expectClose(found.history['loss'] ?? [], expected.history['loss'] ?? [], 1e-6);
    expectClose(await weightsOf(own), await weightsOf(built), 2e-6);
    expect((await own.evaluate(x, two))['loss']).toBeCloseTo(
      (await built.evaluate(x, two))['loss'] ?? NaN,
      6,
    );
    own.dispose();
    built.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it.each([
    ['', null],
    [', weighed', sampleWeight],
  ])('trains a focal loss as float64 does%s', async (_, weights) => {
    const trained = model(1, 'sigmoid', { loss: focal });
    let [w0 = 0, w1 = 0, bias = 0] = await weightsOf(trained);
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) {
      const slope = [0, 0, 0];
      let loss = 0;
      for (let i = 0; i < n; i++) {
        const features = [x.data[2 * i] ?? NaN, x.data[2 * i + 1] ?? NaN, 1];
        const share = (weights?.data[i] ?? 1) / n;
        const label = y.data[i] ?? NaN;
        const at = (z: number): number => share * focalOf(label, sigmoid(z));
        const z = w0 * (features[0] ?? NaN) + w1 * (features[1] ?? NaN) + bias;
        const dz = (at(z + 1e-5) - at(z - 1e-5)) / 2e-5;
        loss += at(z);
        features.forEach((feature, j) => (slope[j] = (slope[j] ?? 0) + dz * feature));
      }
      losses.push(loss);
      [w0, w1, bias] = [
        w0 - 0.5 * (slope[0] ?? NaN),
        w1 - 0.5 * (slope[1] ?? NaN),
        bias - 0.5 * (slope[2] ?? NaN),
      ];
    }
    const { history } = await trained.fit(x, y, {
      batchSize: n,
      shuffle: false,
      epochs: 20,
      ...(weights && { sampleWeight: weights }),
    });
    expectClose(history['loss'] ?? [], losses, 2e-6);
    expectClose(await weightsOf(trained), [w0, w1, bias], 1e-5);
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? NaN);
    trained.dispose();
  });

  it('may depend on the batch as a whole, also where samples are weighed', async () => {
    const spread: TensorFunction = (yTrue, yPred) => yPred.sub(yTrue).sum().square();
    const centred: TensorFunction = (yTrue, yPred) => {
      const error = yPred.sub(yTrue);
      // Every sample's squared error times the mean error.
      return error
        .square()
        .reshape([n])
        .mul(error.mean().apply((value, tape) => repeatOf(value, tape)));
    };
    const repeatOf: Parameters<TapedTensor['apply']>[0] = (value, tape) => ops.repeat(value, n, tape);
    const reference = (loss: TensorFunction, w: readonly number[], shares: readonly number[]): number => {
      const errors = shares.map(
        (_, i) =>
          (w[0] ?? NaN) * (x.data[2 * i] ?? NaN) +
          (w[1] ?? NaN) * (x.data[2 * i + 1] ?? NaN) +
          (w[2] ?? NaN) -
          (y.data[i] ?? NaN),
      );
      const sum = errors.reduce((a, b) => a + b, 0);
      return shares.reduce(
        (all, share, i) =>
          all + (share / n) * (loss === spread ? sum ** 2 : (errors[i] ?? NaN) ** 2 * (sum / n)),
        0,
      );
    };
    for (const loss of [spread, centred]) {
      for (const weights of [null, sampleWeight]) {
        const rate = 1e-2;
        const trained = model(1, 'linear', { loss, optimizer: new SGD({ learningRate: rate }) });
        const before = await weightsOf(trained);
        const shares = Array.from({ length: n }, (_, i) => weights?.data[i] ?? 1);
        const logs = await trained.trainOnBatch({ x, y, ...(weights && { sampleWeight: weights }) });
        const value = reference(loss, before, shares);
        expect(Math.abs((logs['loss'] ?? NaN) - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
        const after = await weightsOf(trained);
        before.forEach((_, j) => {
          const moved = (by: number): number =>
            reference(
              loss,
              before.map((weight, k) => (k === j ? weight + by : weight)),
              shares,
            );
          const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
          const found = ((before[j] ?? NaN) - (after[j] ?? NaN)) / rate;
          expect(Math.abs(found - slope)).toBeLessThan(1e-4 * Math.max(1, Math.abs(slope)));
        });
        trained.dispose();
      }
    }
  });

  it('has class indices as one-hot rows where it asks for them', async () => {
    const crossentropy: TensorFunction = (yTrue, yPred) => yPred.log().mul(yTrue).sum(-1).neg();
    const loss = new FunctionLoss(crossentropy, { labels: 'classIndex', name: 'mine' });
    const indices: HostArray = { data: Uint8Array.from({ length: n }, (_, i) => i % 3), shape: [n] };
    const [own, built] = [loss, 'sparseCategoricalCrossentropy'].map((each) =>
      model(3, 'softmax', { loss: each }),
    ) as [Model, Model];
    const options = { batchSize: 4, epochs: 3 };
    const [found, expected] = [await own.fit(x, indices, options), await built.fit(x, indices, options)];
    expectClose(found.history['loss'] ?? [], expected.history['loss'] ?? [], 2e-6);
    expectClose(await weightsOf(own), await weightsOf(built), 5e-6);
    own.dispose();
    built.dispose();
  });

  it('trains in mixed precision', async () => {
    const [mixed, plain] = ['mixed', 'float32'].map((precision) => {
      const made = model(1, 'sigmoid', { loss: focal });
      if (precision === 'mixed') made.precision = 'mixed';
      return made;
    }) as [Model, Model];
    const options = { batchSize: n, epochs: 5 };
    const [found, expected] = [await mixed.fit(x, y, options), await plain.fit(x, y, options)];
    expectClose(found.history['loss'] ?? [], expected.history['loss'] ?? [], 1e-3);
    mixed.dispose();
    plain.dispose();
  });

  it("goes with metrics of one's own, whose means are over samples, or batches", async () => {
    function meanError(yTrue: TapedTensor, yPred: TapedTensor): TapedTensor {
      return yPred.sub(yTrue).abs();
    }
    const largest: TensorFunction = (_, yPred) => yPred.sum();
    const tested = model(1, 'sigmoid', {
      loss: 'binaryCrossentropy',
      metrics: ['accuracy', meanError, largest],
    });
    const logs = await tested.evaluate(x, y, { batchSize: 5 });
    expect(Object.keys(logs)).toEqual(['loss', 'accuracy', 'meanError', 'largest']);
    const data = [...(await tested.predict(x)).data];
    const errors = data.map((p, i) => Math.abs(p - (y.data[i] ?? NaN)));
    expect(logs['meanError']).toBeCloseTo(errors.reduce((a, b) => a + b) / n, 6);
    expect(logs['largest']).toBeCloseTo(data.reduce((a, b) => a + b) / 3, 5);
    const watching = (mode: 'auto' | 'min'): EarlyStopping =>
      new EarlyStopping({ monitor: 'meanError', mode });
    await expect(tested.fit(x, y, { callbacks: [watching('auto')] })).rejects.toMatchObject({
      code: 'callback/monitor',
    });
    await tested.fit(x, y, { callbacks: [watching('min')] });
    tested.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it.each<[string, TensorFunction, string]>([
    ['that gives no tensor', () => 5 as unknown as TapedTensor, 'loss/function'],
    ['that gives nothing', () => undefined as unknown as TapedTensor, 'loss/function'],
    ['that loses its samples', (_, yPred) => yPred.mean(0), 'loss/function'],
    ['that asks the labels alone', (yTrue) => yTrue.square(), 'loss/gradient'],
    ['that adds what does not fit', (yTrue, yPred) => yPred.add(yTrue.mean(-1)), 'op/shape'],
  ])('is refused: one %s', async (_, loss, code) => {
    const refused = model(1, 'sigmoid', { loss });
    await expect(refused.trainOnBatch({ x, y })).rejects.toMatchObject({ code });
    refused.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('and what is neither loss nor metric', () => {
    const code = (value: string): Error => expect.objectContaining({ code: value }) as Error;
    const compile = (config: object) => () => model(1, 'sigmoid', { loss: 'mse', ...config }).dispose();
    expect(compile({ loss: undefined })).toThrow(code('loss/unknown'));
    expect(compile({ loss: {} })).toThrow(code('loss/unknown'));
    expect(compile({ metrics: [null] })).toThrow(code('metric/unknown'));
    expect(compile({ metrics: [squaredError, squaredError] })).toThrow(code('metric/name'));
    expect(compile({ metrics: [new MeanSquaredError()] })).toThrow(code('metric/unknown'));
  });
});
