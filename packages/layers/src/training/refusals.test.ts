import { ConvbaseError } from '@convbase/base';
import { describe, expect, it } from 'vitest';
import {
  CategoricalCrossentropy,
  Dense,
  input,
  NameScope,
  Sequential,
  SGD,
  UnaryLayer,
  type Batch,
  type Dataset,
  type Shape,
  type Tensor,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms } from '../testing/numbers.ts';
import { binary, classifier, rings } from '../testing/rings.ts';

describe('fit', () => {
  const gpu = withGpu();

  it('stops when told: by the signal, by a callback, by an error of the dataset', async () => {
    const model = classifier().to(gpu());
    model.compile({ optimizer: 'sgd', ...binary });
    const controller = new AbortController();
    let closed = false;
    const endless: Dataset = {
      *batches() {
        try {
          for (;;) yield* rings(8, 4).batches(0) as Iterable<Batch>;
        } finally {
          closed = true;
        }
      },
    };
    const aborted = model.fit(endless, {
      signal: controller.signal,
      callbacks: [
        {
          onBatchEnd: (_epoch, batch) => {
            if (batch === 3) controller.abort();
          },
        },
      ],
    });
    await expect(aborted).rejects.toMatchObject({ code: 'run/aborted' });
    expect(closed).toBe(true);

    const stopped = await model.fit(rings(8, 4), {
      epochs: 10,
      callbacks: [
        {
          onEpochEnd: (epoch) => {
            if (epoch === 1) model.stopTraining = true;
          },
        },
      ],
    });
    expect(stopped.epoch).toEqual([0, 1]);

    const broken: Dataset = {
      *batches() {
        yield* rings(8, 4).batches(0) as Iterable<Batch>;
        throw new ConvbaseError('file/unreadable', 'a picture is broken');
      },
    };
    await expect(model.fit(broken)).rejects.toMatchObject({ code: 'file/unreadable' });
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('trains a model once at a time', async () => {
    const model = classifier().to(gpu());
    model.compile({ optimizer: 'sgd', ...binary });
    const first = model.fit(rings(8, 4), { epochs: 2 });
    await expect(model.fit(rings(8, 4))).rejects.toMatchObject({ code: 'training/running' });
    expect((await first).epoch).toEqual([0, 1]);
    await expect(model.fit({ batches: () => [] })).rejects.toMatchObject({ code: 'dataset/empty' });
    expect((await model.fit(rings(8, 4))).epoch).toEqual([0]);
    model.dispose();
  });

  it('says before it starts what cannot work', async () => {
    const model = classifier().to(gpu());
    const rejects = (dataset: Dataset, code: string): Promise<void> =>
      expect(model.fit(dataset)).rejects.toMatchObject({ code });
    await rejects(rings(8, 4), 'model/not-compiled');
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    await rejects(rings(8, 4), 'loss/activation');
    model.compile({ optimizer: 'sgd', loss: new CategoricalCrossentropy({ fromLogits: true }) });
    await model.fit(rings(8, 4));
    model.compile({ optimizer: 'sgd', ...binary });
    await rejects({ batches: () => [] }, 'dataset/empty');
    await rejects({ batches: () => [{ x: { data: new Float32Array(2), shape: [1, 2] } }] }, 'labels/missing');
    const y = { data: new Float32Array(3), shape: [1, 3] };
    await rejects(
      { batches: () => [{ x: { data: new Float32Array(2), shape: [1, 2] }, y }] },
      'labels/shape',
    );
    model.trainable = false;
    await rejects(rings(8, 4), 'training/frozen');
    expect(() => {
      model.compile({ optimizer: 'sgd', loss: 'hinge' });
    }).toThrow('no loss called hinge');
    expect(() => {
      model.compile({ optimizer: 'lion', ...binary });
    }).toThrow('no optimizer called lion');
    // What every object of JavaScript has is no name of ours.
    const everywhere = 'constructor';
    for (const config of [{ loss: everywhere }, { optimizer: everywhere }, { metrics: [everywhere] }]) {
      expect(() => {
        model.compile({ optimizer: 'sgd', ...binary, ...config });
      }).toThrow('called constructor');
    }
    model.dispose();
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('names the layer that has no gradient, unless nothing before it is to be trained', async () => {
    class Step extends UnaryLayer {
      override readonly differentiable = false;
      constructor() {
        super('Step', { name: 'step' });
      }
      protected outputShape(shape: Shape): Shape {
        return shape;
      }
      protected forward(x: Tensor): Tensor {
        return x.share();
      }
    }
    const model = classifier(() => [new Step()]).to(gpu());
    model.compile({ optimizer: 'sgd', ...binary });
    await expect(model.fit(rings(8, 4))).rejects.toThrow(/Step step: the layer has no gradient/);
    model.getLayer('dense').trainable = false;
    await model.fit(rings(8, 4));
    model.dispose();
  });

  it('knows class indices, and says so when it was given the wrong kind of label', async () => {
    const names = new NameScope();
    const model = new Sequential({
      names,
      layers: [input({ shape: [2], names }), new Dense({ units: 3, activation: 'softmax', names })],
    }).to(gpu());
    const x = { data: randoms(8), shape: [4, 2] };
    const y = { data: Uint8Array.of(0, 2, 1, 1), shape: [4] };
    const oneHot = { data: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0), shape: [4, 3] };
    model.compile({
      optimizer: new SGD({ learningRate: 0 }),
      loss: 'sparse_categorical_crossentropy',
      metrics: ['accuracy'],
    });
    const sparse = await model.trainOnBatch({ x, y });
    await expect(model.trainOnBatch({ x, y: { ...y, data: Uint8Array.of(0, 3, 1, 1) } })).rejects.toThrow(
      /3 is not the index/,
    );
    model.compile({
      optimizer: new SGD({ learningRate: 0 }),
      loss: 'categorical_crossentropy',
      metrics: ['accuracy'],
    });
    expect(await model.trainOnBatch({ x, y: oneHot })).toEqual(sparse);
    await expect(model.trainOnBatch({ x, y })).rejects.toThrow(/sparseCategoricalCrossentropy/);
    model.dispose();
  });
});
