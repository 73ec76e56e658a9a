import { fileURLToPath } from 'node:url';
import { Model } from '@convbase/layers';
import { describe, expect, test } from 'vitest';
import { openModelFile } from '../formats/index.ts';
import { configOf, loadModel, loadWeights, modelFromConfig, modelFromFile } from './index.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/golden/${name}`, import.meta.url));

const conv = (name: string, config: Record<string, unknown>, from: unknown): object => ({
  class_name: 'Conv2D',
  name,
  config: { name, filters: 4, kernel_size: [3, 3], ...config },
  inbound_nodes: from,
});
const inputLayer = {
  class_name: 'InputLayer',
  name: 'in',
  config: { name: 'in', batch_shape: [null, 8, 8, 3] },
  inbound_nodes: [],
};
const tensor = (layer: string, node = 0): object => ({
  class_name: '__keras_tensor__',
  config: { keras_history: [layer, node, 0] },
});
const call = (...layers: string[]): object => ({
  args: [layers.length === 1 ? tensor(layers[0] ?? '') : layers.map((name) => tensor(name))],
  kwargs: {},
});
const functional = (layers: object[], output: string): object => ({
  class_name: 'Functional',
  config: { name: 'm', layers, input_layers: ['in', 0, 0], output_layers: [output, 0, 0] },
});
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  return 'none';
};

describe('configs of Keras 3', () => {
  test('a functional model: branches, merging, options in camelCase', () => {
    const model = modelFromConfig(
      functional(
        [
          inputLayer,
          conv('a', { padding: 'SAME', dilation_rate: [2, 2], use_bias: false, activation: 'relu' }, [
            call('in'),
          ]),
          conv(
            'b',
            {
              padding: 'same',
              strides: [1, 1],
              kernel_initializer: { class_name: 'HeNormal', config: { seed: null } },
            },
            [call('in')],
          ),
          {
            class_name: 'Concatenate',
            name: 'c',
            config: { name: 'c', axis: 3 },
            inbound_nodes: [call('a', 'b')],
          },
          {
            class_name: 'GlobalAveragePooling2D',
            name: 'g',
            config: { name: 'g', keepdims: true },
            inbound_nodes: [call('c')],
          },
        ],
        'g',
      ),
    );
    expect(model.layers.map((layer) => layer.name)).toEqual(['in', 'a', 'b', 'c', 'g']);
    expect(model.output.shape).toEqual([null, 1, 1, 8]);
    expect(model.weights.map((weight) => weight.path)).toEqual(['a/kernel', 'b/kernel', 'b/bias']);
  });

  test('a shared layer is called twice and has its weights once', () => {
    const shared = conv('a', { padding: 'same', filters: 3 }, [
      call('in'),
      { args: [tensor('a', 0)], kwargs: {} },
    ]);
    const config = functional([inputLayer, shared], 'a') as { config: { output_layers: unknown } };
    config.config.output_layers = [['a', 1, 0]];
    const model = modelFromConfig(config);
    expect(model.weights).toHaveLength(2);
    expect(model.getLayer('a').nodes).toHaveLength(2);
  });

  test('a nested model', () => {
    const inner = functional([inputLayer, conv('a', {}, [call('in')])], 'a');
    const outer = { ...inner, name: 'inner', inbound_nodes: [call('in')] };
    const model = modelFromConfig(functional([inputLayer, outer], 'inner'));
    expect(model.getLayer('m')).toBeInstanceOf(Model);
    expect(model.output.shape).toEqual([null, 6, 6, 4]);
  });

  describe('the calls of a nested model count from', () => {
    const inner = functional([inputLayer, conv('a', { padding: 'same', filters: 3 }, [call('in')])], 'a');
    const build = (first: string, nodes: unknown[], end: unknown[], className = 'Functional'): Model => {
      const outer = { ...inner, class_name: className, name: first, inbound_nodes: nodes };
      const last = conv('b', {}, [[[first, ...end, {}]]]);
      return modelFromConfig(functional([inputLayer, outer, last], 'b'));
    };
    const twice = [[['in', 0, 0, {}]], [['m', 1, 0, {}]]];

    test('1 in Keras 2', () => {
      expect(build('m', [[['in', 0, 0, {}]]], [1, 0]).output.shape).toEqual([null, 6, 6, 4]);
      const model = build('m', twice, [2, 0]);
      expect(model.getLayer('m').nodes).toHaveLength(2);
    });

    test('0 in Keras 3, but from 1 for outputs', () => {
      const config = functional([inputLayer, { ...inner, name: 'm', inbound_nodes: [call('in')] }], 'm');
      for (const node of [0, 1]) {
        (config as { config: { output_layers: unknown } }).config.output_layers = ['m', node, 0];
        expect(modelFromConfig(config).output.shape).toEqual([null, 8, 8, 3]);
      }
      expect(build('m', [call('in')], [0, 0]).output.shape).toEqual([null, 6, 6, 4]);
      expect(() => build('m', [call('in')], [2, 0])).toThrow(/no call 2/);
    });
  });

  test('a recorded `training` does not matter', () => {
    const dropout = {
      class_name: 'Dropout',
      name: 'd',
      config: { name: 'd', rate: 0.5, seed: null, noise_shape: null },
      inbound_nodes: [{ args: [tensor('in')], kwargs: { training: false } }],
    };
    expect(modelFromConfig(functional([inputLayer, dropout], 'd')).output.shape).toEqual([null, 8, 8, 3]);
  });

  test('another input size, and an end before the last layer', () => {
    const layers = [
      inputLayer,
      conv('a', {}, [call('in')]),
      { class_name: 'Flatten', name: 'f', config: { name: 'f' }, inbound_nodes: [call('a')] },
      { class_name: 'Unheard', name: 'u', config: { name: 'u' }, inbound_nodes: [call('f')] },
    ];
    const model = modelFromConfig(functional(layers, 'u'), { inputShape: [null, null, 3], until: 'a' });
    expect(model.output.shape).toEqual([null, null, null, 4]);
    expect(codeOf(() => modelFromConfig(functional(layers, 'u'), { until: 'x' }))).toBe('graph/missing');
  });
});

describe('what cannot be built is refused by name', () => {
  const wrong = (config: Record<string, unknown>): string =>
    codeOf(() => modelFromConfig(functional([inputLayer, conv('a', config, [call('in')])], 'a')));

  test.each([
    [{ data_format: 'channels_first' }],
    [{ groups: 2 }],
    [{ kernel_regularizer: { class_name: 'OrthogonalRegularizer', config: { factor: 0.01 } } }],
    [{ kernel_regularizer: { class_name: 'L2', config: { l2: -1 } } }],
    [{ activation: 'mish' }],
    [{ filters: -1 }],
    [{ filters: 2 ** 40 }],
    [{ kernel_size: [3, 3, 3] }],
    [{ dtype: { class_name: 'DTypePolicy', config: { name: 'mixed_bfloat16' } } }],
  ])('%j', (config) => {
    expect(wrong(config)).toBe('graph/option');
  });

  test.each([
    ['l2', { l2: 0.01 }],
    [{ class_name: 'L1', config: { l1: 0.5 } }, { l1: 0.5 }],
    [
      { class_name: 'L1L2', config: { l1: 0.5, l2: 0.25 } },
      { l1: 0.5, l2: 0.25 },
    ],
  ])('the regularizer %j is read and written', (given, factors) => {
    const model = modelFromConfig(
      functional([inputLayer, conv('a', { kernel_regularizer: given }, [call('in')])], 'a'),
    );
    expect(model.getWeight('a/kernel').regularizer).toMatchObject(factors);
    const written = configOf(model).config.layers[1]?.config['kernel_regularizer'];
    expect(written).toMatchObject({ module: 'keras.regularizers', config: factors });
  });

  test('what is switched off is no option', () => {
    expect(wrong({ kernel_regularizer: null, whatever: false, dtype: 'float32' })).toBe('none');
  });

  test('an unknown layer names itself and those there are', () => {
    const layer = { class_name: 'LSTM', name: 'l', config: { name: 'l' }, inbound_nodes: [call('in')] };
    expect(() => modelFromConfig(functional([inputLayer, layer], 'l'))).toThrow(
      /m, layer l: convbase has no layer LSTM\n.*Conv2D/,
    );
    expect(
      codeOf(() => modelFromConfig(functional([inputLayer, { ...layer, class_name: 'constructor' }], 'l'))),
    ).toBe('graph/layer');
  });

  test('cycles, missing and doubled layers, calls with arguments', () => {
    const build = (...layers: object[]): string =>
      codeOf(() => modelFromConfig(functional([inputLayer, ...layers], 'a')));
    expect(build(conv('a', {}, [call('b')]), conv('b', {}, [call('a')]))).toBe('graph/cycle');
    expect(build(conv('a', {}, [call('a')]))).toBe('graph/cycle');
    expect(build(conv('a', {}, [call('nowhere')]))).toBe('graph/missing');
    expect(build(conv('a', {}, [call('in')]), conv('a', {}, [call('in')]))).toBe('graph/duplicate');
    expect(build(conv('a', {}, []))).toBe('graph/input');
    expect(build(conv('a', {}, [{ args: [tensor('in')], kwargs: { mask: 1 } }]))).toBe('graph/inbound-nodes');
    expect(build(conv('a', {}, [{ args: [tensor('in', 7)], kwargs: {} }]))).toBe('graph/missing');
    expect(build(conv('a', {}, [[['in', -1, 0, {}]]]))).toBe('graph/inbound-nodes');
  });

  test('a chain longer than the call stack is deep', () => {
    const names = Array.from({ length: 9000 }, (_, i) => `r${i}`);
    const layers = names.map((name, i) => ({
      class_name: 'ReLU',
      name,
      config: { name },
      inbound_nodes: [call(names[i - 1] ?? 'in')],
    }));
    expect(modelFromConfig(functional([inputLayer, ...layers], 'r8999')).layers).toHaveLength(9001);
  });
});

describe('files', () => {
  test.each(['mini_vgg', 'mini_inception'])(
    '%s is the same from .keras, .h5 and .weights.h5',
    async (name) => {
      const model = await loadModel(fixture(`${name}.keras`));
      const legacy = await loadModel(fixture(`${name}.h5`));
      const weights = await openModelFile(fixture(`${name}.weights.h5`));
      const config = (await openModelFile(fixture(`${name}.keras`))).config;
      const bare = modelFromConfig(config);
      loadWeights(bare, weights);
      expect(model.weights.length).toBeGreaterThan(9);
      for (const other of [legacy, bare]) {
        expect(other.layers.map((layer) => layer.name)).toEqual(model.layers.map((layer) => layer.name));
        for (const weight of model.weights) {
          expect(await other.getWeight(weight.path).read(), weight.path).toEqual(await weight.read());
        }
      }
    },
  );

  test('a nested model is the same from .keras, .h5 and .weights.h5', async () => {
    const path = (ending: string): string =>
      fileURLToPath(new URL(`../../fixtures/nested.${ending}`, import.meta.url));
    const model = await loadModel(path('keras'));
    const legacy = await loadModel(path('h5'));
    const bare = modelFromConfig((await openModelFile(path('keras'))).config);
    loadWeights(bare, await openModelFile(path('weights.h5')));
    expect(model.layers.some((layer) => layer instanceof Model)).toBe(true);
    for (const other of [legacy, bare]) {
      for (const [i, weight] of model.weights.entries()) {
        expect(other.weights[i]?.path).toBe(weight.path);
        expect(await other.weights[i]?.read(), weight.path).toEqual(await weight.read());
      }
    }
  });

  test('a legacy file may list the weights of a nested model in another order', async () => {
    const path = (ending: string): string =>
      fileURLToPath(new URL(`../../fixtures/interleaved.${ending}`, import.meta.url));
    const model = await loadModel(path('keras'));
    const legacy = await loadModel(path('h5'));
    expect(model.trainableWeights).toHaveLength(8);
    for (const [i, weight] of model.weights.entries()) {
      expect(await legacy.weights[i]?.read(), weight.path).toEqual(await weight.read());
      expect(legacy.weights[i]?.trainable, weight.path).toBe(weight.trainable);
    }
  });

  test('weights that do not fit are refused with layer and shapes, and change nothing', async () => {
    const file = await openModelFile(fixture('mini_vgg.h5'));
    const model = modelFromConfig(file.config, { inputShape: [24, 24, 3] });
    expect(() => {
      loadWeights(model, file);
    }).toThrow(/dense.*300, 16.*432, 16/s);
    expect(model.weights.some((weight) => weight.assigned)).toBe(false);
  });

  test('a weight file alone is no model', async () => {
    await expect(loadModel(fixture('mini_vgg.weights.h5'))).rejects.toMatchObject({
      code: 'model/no-config',
    });
  });

  test('a model cut at a layer needs only the weights before it', async () => {
    for (const extension of ['keras', 'h5']) {
      const file = await openModelFile(fixture(`mini_inception.${extension}`));
      const model = modelFromFile(file, { until: 'mixed0', inputShape: [null, null, 3] });
      expect(model.output.shape).toEqual([null, null, null, 24]);
      expect(model.weights.every((weight) => weight.assigned)).toBe(true);
    }
  });
});
