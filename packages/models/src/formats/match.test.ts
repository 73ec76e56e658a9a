import { describe, expect, test } from 'vitest';
import { matchLayers } from './match.ts';
import type { TargetLayer } from './match.ts';
import type { LayerWeights, Matching, ModelFile } from './model-file.ts';
import { snakeCase, storeNames } from './store-path.ts';

const weight = (name: string, shape: number[]) => ({
  name,
  path: name,
  shape,
  dtype: 'float32' as const,
  read: () => new Float32Array(),
});
const stored = (name: string, weights: [string, number[]][], storePath?: string): LayerWeights => ({
  name,
  weights: weights.map(([weightName, shape]) => weight(weightName, shape)),
  ...(storePath === undefined ? {} : { storePath }),
});
const target = (
  name: string,
  className: string,
  weights: [string, number[]][],
  layers?: TargetLayer[],
): TargetLayer => ({
  name,
  className,
  weights: weights.map(([weightName, shape]) => ({ name: weightName, shape })),
  ...(layers === undefined ? {} : { layers }),
});

function file(matching: Matching, layers: LayerWeights[], config?: ModelFile['config']): ModelFile {
  return {
    format: 'keras',
    name: 'f',
    config,
    layers,
    matching,
    checksum: () => Promise.resolve(''),
    close: () => undefined,
  };
}

const names = (matches: ReturnType<typeof matchLayers>) =>
  matches.map((m) => [m.target.name, ...m.weights.map((w) => w.name)]);
const config = { class_name: 'Functional', config: { layers: [] } };

describe('by order', () => {
  test('skips layers without weights on both sides and ignores names', () => {
    const f = file('order', [
      stored('conv_9', [['kernel', [1, 1, 2, 3]]]),
      stored('pool', []),
      stored('dense_4', [
        ['W', [3, 1]],
        ['b', [1]],
      ]),
    ]);
    const targets = [
      target('in', 'InputLayer', []),
      target('conv', 'Conv2D', [['kernel', [1, 1, 2, 3]]]),
      target('dense', 'Dense', [
        ['kernel', [3, 1]],
        ['bias', [1]],
      ]),
    ];
    expect(names(matchLayers(f, targets))).toEqual([
      ['conv', 'kernel'],
      ['dense', 'W', 'b'],
    ]);
  });

  test('refuses other shapes, naming both', () => {
    const f = file('order', [stored('a', [['kernel', [3, 3, 3, 8]]])]);
    expect(() => matchLayers(f, [target('b', 'Conv2D', [['kernel', [3, 3, 1, 8]]])])).toThrow(
      expect.objectContaining({
        code: 'weights/shape',
        message: expect.stringMatching(/\[3, 3, 3, 8\].*b\/kernel is \[3, 3, 1, 8\]/) as string,
      }),
    );
  });

  test('refuses another number of layers or weights', () => {
    const f = file('order', [stored('a', [['kernel', [1]]])]);
    expect(() => matchLayers(f, [])).toThrow(expect.objectContaining({ code: 'weights/count' }));
    expect(() =>
      matchLayers(f, [
        target('a', 'Dense', [
          ['kernel', [1]],
          ['bias', [1]],
        ]),
      ]),
    ).toThrow(expect.objectContaining({ code: 'weights/count' }));
  });

  test('a whole model is matched by name if all names are the same', () => {
    const layers = [stored('a', [['kernel', [1]]]), stored('b', [['bias', [1]]])];
    const targets = [target('b', 'Dense', [['bias', [1]]]), target('a', 'Dense', [['kernel', [1]]])];
    expect(names(matchLayers(file('order', layers, config), targets))).toEqual([
      ['b', 'bias'],
      ['a', 'kernel'],
    ]);
    expect(names(matchLayers(file('order', layers), targets))).toEqual([
      ['b', 'kernel'],
      ['a', 'bias'],
    ]);
  });
});

describe('by name', () => {
  const f = file('name', [
    stored('m/d', [
      ['bias', [1]],
      ['kernel', [2, 1]],
    ]),
    stored('rest', [['kernel', [1]]]),
  ]);

  test("finds weights in any order and behind the model's name", () => {
    expect(
      names(
        matchLayers(f, [
          target('d', 'Dense', [
            ['kernel', [2, 1]],
            ['bias', [1]],
          ]),
        ]),
      ),
    ).toEqual([['d', 'kernel', 'bias']]);
  });

  test('names the layer that is missing', () => {
    expect(() => matchLayers(f, [target('x', 'Dense', [['kernel', [1]]])])).toThrow(
      expect.objectContaining({ code: 'weights/missing' }),
    );
  });
});

describe('by store path', () => {
  test("Keras' snake case and running numbers", () => {
    expect(
      [
        'Conv2D',
        'MaxPooling2D',
        'GlobalAveragePooling2D',
        'ReLU',
        'BatchNormalization',
        'InputLayer',
        'Conv2DTranspose',
      ].map(snakeCase),
    ).toEqual([
      'conv2d',
      'max_pooling2d',
      'global_average_pooling2d',
      're_lu',
      'batch_normalization',
      'input_layer',
      'conv2d_transpose',
    ]);
    expect(storeNames(['Dense', 'ReLU', 'Dense', 'Dense'])).toEqual(['dense', 're_lu', 'dense_1', 'dense_2']);
  });

  test('by class and number, into nested models, also under the old group name', () => {
    const f = file('store-path', [
      stored('q', [['0', [1]]], 'layers/dense_1'),
      stored(
        'z',
        [['0', [2]]],
        '_layer_checkpoint_dependencies/functional/_layer_checkpoint_dependencies/dense',
      ),
      stored('p', [['0', [3]]], 'layers/dense'),
    ]);
    const inner = target('inner', 'Dense', [['kernel', [2]]]);
    const targets = [
      target('one', 'Dense', [['kernel', [3]]]),
      target('base', 'Functional', [['kernel', [2]]], [inner]),
      target('two', 'Dense', [['kernel', [1]]]),
    ];
    expect(matchLayers(f, targets).map((m) => m.weights.map((w) => w.shape))).toEqual([[[3]], [[2]], [[1]]]);
  });

  test('refuses weights that are missing or left over', () => {
    const f = file('store-path', [
      stored('a', [['0', [1]]], 'layers/dense'),
      stored('b', [['0', [1]]], 'layers/dense_1'),
    ]);
    expect(() => matchLayers(f, [target('a', 'Dense', [['kernel', [1]]])])).toThrow(
      expect.objectContaining({ code: 'weights/count' }),
    );
    expect(() => matchLayers(f, [target('a', 'Conv2D', [['kernel', [1]]])])).toThrow(
      expect.objectContaining({ code: 'weights/missing' }),
    );
  });
});
