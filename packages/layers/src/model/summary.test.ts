import { describe, expect, it } from 'vitest';
import {
  Activation,
  Add,
  AveragePooling2D,
  BatchNormalization,
  Concatenate,
  Conv2D,
  Dense,
  Dropout,
  Flatten,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  input,
  InputLayer,
  MaxPooling2D,
  Model,
  NameScope,
  Sequential,
} from '../index.ts';
// Printed by Keras 3.15 for the same models.
import keras from './testing/keras-summaries.json' with { type: 'json' };

function stack(names: NameScope): Model {
  const i = input({ shape: [150, 150, 3], names });
  let x = new Conv2D({
    filters: 64,
    kernelSize: 3,
    padding: 'same',
    activation: 'relu',
    name: 'block1_conv1',
  }).apply(i);
  x = new MaxPooling2D({ name: 'block1_pool' }).apply(x);
  const name = 'block2_conv_with_a_very_long_name_indeed';
  x = new Conv2D({ filters: 512, kernelSize: 3, padding: 'same', activation: 'relu', name }).apply(x);
  x = new GlobalAveragePooling2D({ names }).apply(x);
  return new Model({ inputs: i, outputs: x, name: 'tiny_vgg' });
}

function nested(names: NameScope): Model {
  const base = stack(names);
  base.trainable = false;
  return new Sequential({
    layers: [
      base,
      new Dropout({ rate: 0.5, names }),
      new Dense({ units: 256, activation: 'relu', names }),
      new Dense({ units: 1, activation: 'sigmoid', names }),
    ],
    names,
  });
}

function branches(names: NameScope): Model {
  const i = input({ shape: [null, null, 3], names });
  const frozen = new Conv2D({ filters: 8, kernelSize: 1, useBias: false, names });
  let a = new BatchNormalization({ scale: false, names }).apply(frozen.apply(i));
  a = new Activation({ activation: 'relu', names }).apply(a);
  const b = new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', names }).apply(i);
  const b2 = new AveragePooling2D({ poolSize: 3, strides: 1, padding: 'same', names }).apply(i);
  const c = new Concatenate({ name: 'mixed0' }).apply([a, b, b2]);
  const d = new Conv2D({ filters: 15, kernelSize: 3, padding: 'same', name: 'shortcut' }).apply(c);
  const f = new GlobalMaxPooling2D({ names }).apply(new Add({ names }).apply([d, c]));
  const inner = new Sequential({
    layers: [
      new InputLayer({ shape: [15], names }),
      new Dense({ units: 3, activation: 'relu', names }),
      new Dense({ units: 15, names }),
    ],
    name: 'inner',
    names,
  });
  const g = inner.apply(f);
  const shared = new Dense({ units: 15, name: 'shared' });
  const h = new Add({ names }).apply([shared.apply(g), shared.apply(f)]);
  frozen.trainable = false;
  return new Model({ inputs: i, outputs: [h, f], name: 'branches' });
}

describe('summary', () => {
  const models = { stack, nested, branches };
  for (const [key, expected] of Object.entries(keras)) {
    const match = /^(stack|nested|branches) columns=(\d+) showTrainable=(\w+) expandNested=(\w+)$/.exec(key);
    if (match === null) continue;
    it(`is Keras' table: ${key}`, () => {
      const model = models[match[1] as keyof typeof models](new NameScope());
      const options = {
        columns: Number(match[2]),
        showTrainable: match[3] === 'true',
        expandNested: match[4] === 'true',
      };
      expect(model.summary(options)).toBe(expected);
    });
  }

  it('says so of layers that are not built', () => {
    const names = new NameScope();
    const model = new Sequential({ layers: [new Dense({ units: 3, names }), new Flatten({ names })], names });
    expect(model.summary({ columns: 200 })).toBe(keras.unbuilt);
  });

  it('shows control characters in names, and its lines stay equally long', () => {
    const dense = new Dense({ units: 2, name: 'a\u001b[2J\nb' });
    const text = new Sequential({ inputShape: [3], layers: [dense], name: 'm\u0007' }).summary();
    expect(text).toContain('Model: "m\\x07"');
    expect(text).toContain('a\\x1b[2J\\nb (Dense)');
    const widths = text
      .split('\n')
      .filter((line) => /^[┏┃┡│└]/.test(line))
      .map((line) => line.length);
    expect(new Set(widths).size).toBe(1);
  });

  it('takes a line length', () => {
    const lines = stack(new NameScope()).summary({ lineLength: 100 }).split('\n');
    expect(lines[1]).toHaveLength(100);
  });
});

describe('a model', () => {
  it('has its layers and weights in the order of Keras', () => {
    const model = branches(new NameScope());
    expect(model.layers.map((layer) => layer.name)).toEqual(keras['branches layers']);
    // Keras puts the model's name in front of weights made while a Sequential is built.
    const paths = keras['branches weights'].map((path) => path.replace(/^inner\//, ''));
    expect(model.weights.map((weight) => weight.path)).toEqual(paths);
    expect(model.trainableWeights).toHaveLength(keras['branches trainable']);
  });

  it('is named as in a fresh Keras process', () => {
    const names = new NameScope();
    new Sequential({ layers: [new Dense({ units: 3, names })], names });
    const second = new Sequential({
      layers: [input({ shape: [3], names }), new Dense({ units: 3, names })],
      names,
    });
    const i = input({ shape: [3], names });
    const model = new Model({ inputs: i, outputs: new Dense({ units: 2, names }).apply(i), names });
    expect([second.name, model.name]).toEqual(keras.names.slice(0, 2));
  });
});
