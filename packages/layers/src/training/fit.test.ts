import { describe, expect, it } from 'vitest';
import {
  Adam,
  BatchNormalization,
  BinaryCrossentropy,
  Concatenate,
  Conv2D,
  Dense,
  Dropout,
  Flatten,
  input,
  MaxPooling2D,
  Model,
  NameScope,
  Sequential,
  SGD,
  type Batch,
  type Callback,
  type Dataset,
  type Progress,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms } from '../testing/numbers.ts';
import { binary, classifier, rings } from '../testing/rings.ts';

describe('fit', () => {
  const gpu = withGpu();

  it('learns, and tells how it went', async () => {
    const model = classifier().to(gpu());
    model.compile({ optimizer: new Adam({ learningRate: 0.02 }), ...binary });
    const seen: string[] = [];
    const callback: Callback = {
      onTrainBegin: () => void seen.push('begin'),
      onEpochBegin: (epoch) => void seen.push(`epoch ${epoch}`),
      onBatchEnd: (epoch, batch) => void seen.push(`batch ${epoch}.${batch}`),
      onEpochEnd: (epoch, logs) => void seen.push(`end ${epoch} ${Object.keys(logs).join()}`),
      onTrainEnd: () => void seen.push('end'),
    };
    const { epoch, history } = await model.fit(rings(300, 32), {
      epochs: 60,
      validationData: rings(100, 32, 2),
      callbacks: [callback],
    });
    expect(epoch).toHaveLength(60);
    expect(Object.keys(history)).toEqual(['loss', 'accuracy', 'val_loss', 'val_accuracy']);
    expect(history['loss']?.[0]).toBeGreaterThan(0.6);
    expect(history['loss']?.at(-1)).toBeLessThan(0.2);
    expect(history['val_accuracy']?.at(-1)).toBeGreaterThan(0.9);
    expect(seen.slice(0, 3)).toEqual(['begin', 'epoch 0', 'batch 0.0']);
    expect(seen.slice(11, 14)).toEqual(['batch 0.9', 'end 0 loss,accuracy,val_loss,val_accuracy', 'epoch 1']);
    expect(seen.at(-1)).toBe('end');
    const result = await model.evaluate(rings(100, 7, 2));
    expect(result['loss']).toBeCloseTo(history['val_loss']?.at(-1) ?? NaN, 5);
    expect(result['accuracy']).toBe(history['val_accuracy']?.at(-1));
    expect(model.summary()).toContain('Optimizer params: 132 ');
    model.dispose();
  });

  it('weights the mean loss by the size of the batches', async () => {
    const model = classifier().to(gpu());
    model.compile({ optimizer: new SGD({ learningRate: 0 }), ...binary });
    const one = await model.evaluate(rings(10, 10));
    const uneven = await model.evaluate(rings(10, 7));
    expect(uneven['loss']).toBeCloseTo(one['loss'] ?? NaN, 6);
    const { history } = await model.fit(rings(10, 7));
    expect(history['loss']?.[0]).toBeCloseTo(one['loss'] ?? NaN, 6);
    expect(history['accuracy']?.[0]).toBeCloseTo(one['accuracy'] ?? NaN, 6);
    // By hand, from the predictions.
    const [batch] = rings(10, 10).batches(0) as Iterable<Batch>;
    if (batch?.y === undefined) throw new Error('no batch');
    const p = await model.predict(batch.x);
    const terms = [...batch.y.data].map(
      (y, i) => -Math.log(y === 1 ? (p.data[i] ?? 0) : 1 - (p.data[i] ?? 0)),
    );
    expect(one['loss']).toBeCloseTo(terms.reduce((a, b) => a + b) / 10, 5);
    model.dispose();
  });

  it('repeats exactly with the same seed, dropout included, and not with another', async () => {
    const run = async (seed: number): Promise<number[]> => {
      const model = classifier((names) => [new Dropout({ rate: 0.5, names })]).to(gpu());
      model.seed(seed);
      model.compile({ optimizer: 'rmsprop', ...binary });
      const { history } = await model.fit(rings(64, 16), { epochs: 3 });
      const weights = await model.getWeight('dense/kernel').read();
      model.dispose();
      return [...(history['loss'] ?? []), ...weights];
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  it('leaves memory as it was over 200 steps', async () => {
    const names = new NameScope();
    const model = new Sequential({
      names,
      layers: [
        input({ shape: [8, 8, 3], names }),
        new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', useBias: false, names }),
        new BatchNormalization({ names }),
        new MaxPooling2D({ names }),
        new Conv2D({ filters: 4, kernelSize: 3, activation: 'relu', names }),
        new Flatten({ names }),
        new Dropout({ rate: 0.3, names }),
        new Dense({ units: 3, activation: 'softmax', names }),
      ],
    }).to(gpu());
    model.compile({
      optimizer: new SGD({ momentum: 0.9, globalClipNorm: 1 }),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    });
    const dataset: Dataset = {
      *batches() {
        for (let i = 0; i < 100; i++) {
          const data = Uint8Array.from(randoms(4 * 192, i), (v) => 128 + 100 * v);
          yield {
            x: { data, shape: [4, 8, 8, 3], preprocess: 'tf' },
            y: { data: Uint8Array.of(0, 1, 2, 1), shape: [4] },
          };
        }
      },
    };
    const two: Dataset = { batches: () => [...(dataset.batches(0) as Iterable<Batch>)].slice(0, 2) };
    await model.fit(two);
    const before = gpu().memory();
    await model.fit(dataset, { epochs: 2 });
    expect(gpu().memory()).toEqual(before);
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('trains only what is not frozen, and leaves frozen statistics alone', async () => {
    const names = new NameScope();
    const base = new Sequential({
      names,
      name: 'base',
      layers: [
        input({ shape: [2], names }),
        new Dense({ units: 4, name: 'inner' }),
        new BatchNormalization({ name: 'norm' }),
      ],
    });
    const model = new Sequential({
      names,
      layers: [base, new Dense({ units: 1, activation: 'sigmoid', name: 'head' })],
    });
    model.to(gpu());
    expect(model.trainableWeights).toHaveLength(6);
    base.trainable = false;
    expect(model.trainableWeights.map((weight) => weight.path)).toEqual(['head/kernel', 'head/bias']);
    const snapshot = async (): Promise<Map<string, Float32Array>> =>
      new Map(
        await Promise.all(model.weights.map(async (weight) => [weight.path, await weight.read()] as const)),
      );
    model.compile({ optimizer: 'sgd', ...binary });
    const before = await snapshot();
    await model.fit(rings(32, 8));
    const frozen = await snapshot();
    for (const [path, values] of frozen) {
      if (path.startsWith('head')) expect(values, path).not.toEqual(before.get(path));
      else expect(values, path).toEqual(before.get(path));
    }
    base.trainable = true;
    await model.fit(rings(32, 8));
    for (const [path, values] of await snapshot()) expect(values, path).not.toEqual(frozen.get(path));
    model.dispose();
  });

  it('reports progress with means so far', async () => {
    const model = classifier().to(gpu());
    model.compile({ optimizer: 'sgd', ...binary });
    const slow: Dataset = {
      batchCount: 5,
      async *batches() {
        for (const batch of rings(20, 4).batches(0) as Iterable<Batch>) {
          await new Promise((resolve) => setTimeout(resolve, 150));
          yield batch;
        }
      },
    };
    const updates: Progress[] = [];
    await model.fit(slow, { callbacks: [{ onProgress: (progress) => void updates.push(progress) }] });
    expect(updates.length).toBeGreaterThan(0);
    expect(updates[0]).toMatchObject({ epoch: 0, epochs: 1, batchCount: 5 });
    expect(updates[0]?.samples).toBe(4 * (updates[0]?.batch ?? 0));
    expect(updates[0]?.logs['loss']).toBeGreaterThan(0);
    model.dispose();
  });

  it('continues where it is told to', async () => {
    const model = classifier().to(gpu());
    model.compile({ optimizer: 'sgd', ...binary });
    expect((await model.fit(rings(8, 4), { initialEpoch: 3, epochs: 5 })).epoch).toEqual([3, 4]);
    model.dispose();
  });

  it('takes several inputs, in training, evaluation and prediction', async () => {
    const names = new NameScope();
    const a = input({ shape: [2], names });
    const b = input({ shape: [1], names });
    const joined = new Concatenate({ names }).apply([a, b]);
    const y = new Dense({ units: 1, activation: 'sigmoid', names }).apply(joined);
    const model = new Model({ inputs: [a, b], outputs: y, names }).to(gpu());
    model.compile({ optimizer: new SGD({ learningRate: 1 }), ...binary });
    const [batch] = rings(16, 16).batches(0) as Iterable<Batch>;
    if (batch?.y === undefined || !('data' in batch.x)) throw new Error('no batch');
    // The second input is the answer.
    const x = [batch.x, { data: batch.y.data, shape: [16, 1] }];
    const dataset: Dataset = { batches: () => [{ x, y: batch.y! }] };
    await model.fit(dataset, { epochs: 60 });
    expect((await model.evaluate(dataset))['accuracy']).toBe(1);
    const all = await model.predict(x, { batchSize: 5 });
    expect(all.shape).toEqual([16, 1]);
    expect(all.data).toEqual((await model.predictOnBatch(x))[0]?.data);
    await expect(model.fit({ batches: () => [batch] })).rejects.toThrow('takes 2 inputs, not 1');
    model.dispose();
  });

  it('wants one weight for each sample', async () => {
    const model = classifier().to(gpu());
    model.compile({ optimizer: 'sgd', ...binary });
    const [batch] = rings(4, 4).batches(0) as Iterable<Batch>;
    if (batch === undefined) throw new Error('no batch');
    const sampleWeight = { data: Float32Array.of(1, 2), shape: [2] };
    await expect(model.trainOnBatch({ ...batch, sampleWeight })).rejects.toMatchObject({
      code: 'labels/weights',
    });
    expect(() => new BinaryCrossentropy({ labelSmoothing: 1.5 })).toThrow('cannot be smoothed by 1.5');
    model.dispose();
  });

  it('fits a line with mean squared error', async () => {
    const names = new NameScope();
    const model = new Sequential({
      names,
      layers: [input({ shape: [1], names }), new Dense({ units: 1, names })],
    }).to(gpu());
    model.compile({ optimizer: new SGD({ learningRate: 0.3 }), loss: 'meanSquaredError' });
    const x = randoms(32);
    const batch = { x: { data: x, shape: [32, 1] }, y: { data: x.map((v) => 3 * v - 1), shape: [32, 1] } };
    await model.fit({ batches: () => [batch] }, { epochs: 60 });
    expect((await model.getWeight('dense/kernel').read())[0]).toBeCloseTo(3, 2);
    expect((await model.getWeight('dense/bias').read())[0]).toBeCloseTo(-1, 2);
    model.dispose();
  });
});
