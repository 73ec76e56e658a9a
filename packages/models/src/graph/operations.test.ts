import { readFileSync } from 'node:fs';
import { openGpu, type Gpu } from '@convbase/core-gpu';
import { SGD, type Model } from '@convbase/layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../formats/testing/files.ts';
import { configOf, loadModel, modelFromConfig } from './index.ts';

interface Facts {
  readonly layers: readonly string[];
  readonly trainable: number;
  readonly x: { readonly shape: number[]; readonly data: number[] };
  readonly y: { readonly shape: number[]; readonly data: number[] };
}
const facts = (name: string): Facts => JSON.parse(readFileSync(fixture(`${name}.json`), 'utf8')) as Facts;

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => {
  gpu.destroy();
});

/** The largest difference between what a model and Keras predict, in units of Keras' largest number. */
async function difference(model: Model, { x, y }: Facts): Promise<number> {
  const predicted = await model.to(gpu).predict({ data: Float32Array.from(x.data), shape: x.shape });
  expect(predicted.shape).toEqual(y.shape);
  const largest = Math.max(...y.data.map(Math.abs));
  return Math.max(...y.data.map((value, i) => Math.abs(value - (predicted.data[i] ?? NaN)))) / largest;
}

describe('models with operations between layers', () => {
  test.each(['chapter.keras', 'chapter.h5', 'operations.keras'])(
    '%s predicts what Keras does',
    async (file) => {
      const expected = facts(file.split('.')[0] ?? '');
      const model = await loadModel(fixture(file));
      expect(model.layers.map(({ name }) => name)).toEqual(expected.layers);
      expect(model.trainableWeights).toHaveLength(expected.trainable);
      expect(await difference(model, expected)).toBeLessThan(1e-5);
      const again = modelFromConfig(configOf(model));
      expect(configOf(again)).toEqual(configOf(model));
    },
  );

  test("the chapter's model trains on, head first and then the whole", async () => {
    const { x } = facts('chapter');
    const model = await loadModel(fixture('chapter.keras'), { gpu });
    const batch = {
      x: { data: Float32Array.from(x.data), shape: x.shape },
      y: { data: Float32Array.of(0, 1, 1), shape: [3, 1] },
    };
    const values = (): Promise<Float32Array[]> => Promise.all(model.weights.map((weight) => weight.read()));
    const step = async (): Promise<string[]> => {
      const before = await values();
      model.compile({ optimizer: new SGD({ learningRate: 1e-4 }), loss: 'binaryCrossentropy' });
      await model.trainOnBatch(batch);
      const after = await values();
      return model.weights.filter((_, i) => String(before[i]) !== String(after[i])).map(({ path }) => path);
    };
    const head = ['dense/kernel', 'dense/bias', 'dense_1/kernel', 'dense_1/bias'];
    expect(await step()).toEqual(head);
    model.trainable = true;
    const convolutions = ['block1_conv1', 'block2_conv1'].flatMap((name) => [
      `${name}/kernel`,
      `${name}/bias`,
    ]);
    expect(await step()).toEqual([...convolutions, ...head]);
    model.dispose();
  });
});

describe('operations of Keras 2', () => {
  const inputLayer = {
    class_name: 'InputLayer',
    name: 'in',
    config: { name: 'in', batch_input_shape: [null, 2, 2, 3] },
    inbound_nodes: [],
  };
  const lambda = (className: string, name: string, callable: string, call: unknown): object => ({
    class_name: className,
    name,
    config: { name, trainable: true, dtype: 'float32', function: callable },
    inbound_nodes: [call],
  });
  const model = (...layers: { name?: string }[]): Model =>
    modelFromConfig({
      class_name: 'Functional',
      config: {
        name: 'm',
        layers: [inputLayer, ...layers],
        input_layers: [['in', 0, 0]],
        output_layers: [[layers.at(-1)?.name, 0, 0]],
      },
    });
  const spec = [{ class_name: '__ellipsis__' }, { start: null, stop: null, step: -1 }];
  const reversed = lambda('SlicingOpLambda', 'item', '__operators__.getitem', [
    ['in', 0, 0, { slice_spec: spec }],
  ]);

  test('caffe preprocessing', async () => {
    const bias = { bias: [-1, -2, -3], data_format: 'NHWC' };
    const built = model(reversed, lambda('TFOpLambda', 'biased', 'nn.bias_add', [['item', 0, 0, bias]]));
    const y = await built
      .to(gpu)
      .predict({ data: Float32Array.from({ length: 12 }, (_, i) => i), shape: [1, 2, 2, 3] });
    expect([...y.data]).toEqual([1, -1, -3, 4, 2, 0, 7, 5, 3, 10, 8, 6]);
  });

  test('division, then subtraction, called with a bare list', async () => {
    const divided = lambda('TFOpLambda', 'd', 'math.truediv', ['in', 0, 0, { y: 2, name: null }]);
    const built = model(
      divided,
      lambda('TFOpLambda', 's', 'math.subtract', ['d', 0, 0, { y: 1, name: null }]),
    );
    const y = await built.to(gpu).predict({ data: new Float32Array(12).fill(3), shape: [1, 2, 2, 3] });
    expect([...y.data]).toEqual(Array(12).fill(0.5));
  });

  test('what is not known is named', () => {
    const unknown = lambda('TFOpLambda', 'r', 'math.reduce_mean', ['in', 0, 0, { axis: 1 }]);
    expect(() => model(unknown)).toThrow(
      /layer r: convbase has no operation math.reduce_mean\n.*GetItem, Stack/,
    );
  });
});

test.each([
  ['Sin', ['tensor'], {}],
  ['Add', ['tensor', [[1], [2, 3]]], {}],
  ['Add', ['tensor', 'text'], {}],
  ['Add', ['tensor', { class_name: '__tensor__', config: { value: 1, dtype: 'string' } }], {}],
  ['Stack', [['tensor']], { axis: 'last' }],
  ['GetItem', ['tensor', [{ class_name: '__slice__', config: { start: 'a', stop: null, step: null } }]], {}],
])('the operation %s of %j is refused by name', (className, args, config) => {
  const tensor = { class_name: '__keras_tensor__', config: { keras_history: ['in', 0, 0] } };
  const filled = JSON.parse(JSON.stringify(args).replaceAll('"tensor"', JSON.stringify(tensor))) as unknown[];
  const operation = {
    module: 'keras.src.ops.numpy',
    class_name: className,
    name: 'op',
    config: { name: 'op', ...config },
    inbound_nodes: [{ args: filled, kwargs: {} }],
  };
  const input = { class_name: 'InputLayer', name: 'in', config: { name: 'in', batch_shape: [null, 2, 3] } };
  const functional = {
    class_name: 'Functional',
    config: {
      name: 'm',
      layers: [input, operation],
      input_layers: ['in', 0, 0],
      output_layers: ['op', 0, 0],
    },
  };
  expect(() => modelFromConfig(functional)).toThrow(
    expect.objectContaining({
      code: 'graph/operation',
      message: expect.stringContaining('m, layer op') as string,
    }),
  );
});
