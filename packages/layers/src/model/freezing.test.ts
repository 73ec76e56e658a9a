import { describe, expect, it } from 'vitest';
import { Dense, Flatten, input, Model, NameScope, Sequential } from '../index.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';

const flags = (model: Model): string[] =>
  model.layers.filter((layer) => layer.trainable).map(({ name }) => name);

/** A head on a base, the base being one layer of the model. */
function withHead(base: Model): Model {
  const names = new NameScope();
  return new Sequential({
    names,
    layers: [base, new Flatten({ names }), new Dense({ units: 4, names }), new Dense({ units: 1, names })],
  });
}

describe('freezing', () => {
  it('thaws a layer by name and all behind it', () => {
    const model = miniVgg();
    model.trainable = false;
    expect(model.unfreezeFrom('block2_conv1')).toBe(model);
    expect(flags(model)).toEqual(['block2_conv1', 'block2_pool', 'flatten', 'dense', 'dense_1']);
    expect(model.trainableWeights.map(({ path }) => path)).toEqual([
      'block2_conv1/kernel',
      'block2_conv1/bias',
      'dense/kernel',
      'dense/bias',
      'dense_1/kernel',
      'dense_1/bias',
    ]);
    model.unfreezeFrom('dense_1');
    expect(model.trainableWeights.map(({ path }) => path)).toEqual(['dense_1/kernel', 'dense_1/bias']);
    expect(model.nonTrainableWeights).toHaveLength(8);
  });

  it('thaws the last layers in the order of Keras, where that is not the order of the calls', () => {
    const model = miniInception();
    model.unfreezeLast(5);
    expect(model.layers.slice(-5).map(({ name }) => name)).toEqual(flags(model));
    model.unfreezeLast(0);
    expect(flags(model)).toEqual([]);
    model.unfreezeLast(1000);
    expect(flags(model)).toHaveLength(model.layers.length);
    expect(() => model.unfreezeLast(-1)).toThrow(/mini_inception: -1 is no number of layers/);
  });

  it.each<[string, (base: Model) => Model]>([
    ['in a stack', withHead],
    [
      'called in a graph',
      (base) => {
        const names = new NameScope();
        const x = input({ shape: base.inputs[0]?.shape.slice(1) ?? [], names });
        const y = new Dense({ units: 1, name: 'out' }).apply(new Flatten({ names }).apply(base.apply(x)));
        return new Model({ inputs: x, outputs: y });
      },
    ],
  ])('reaches into a nested base %s and leaves the layers outside alone', (_, build) => {
    const whole = miniVgg();
    const base = new Model({
      inputs: whole.inputs,
      outputs: whole.getLayer('block2_pool').output,
      name: 'base',
    });
    const model = build(base);
    base.trainable = false;
    const head = model.trainableWeights.length;
    const out = model.layers.at(-1)!;
    out.trainable = false;
    model.unfreezeFrom('block1_conv2');
    expect(flags(base)).toEqual(['block1_conv2', 'block1_pool', 'block2_conv1', 'block2_pool']);
    expect([base.trainable, out.trainable]).toEqual([true, false]);
    expect(model.trainableWeights).toHaveLength(head - 2 + 4);
    base.unfreezeLast(2);
    expect(model.trainableWeights).toHaveLength(head - 2 + 2);
  });

  it('thaws the models around a nested layer, too', () => {
    const whole = miniVgg();
    const model = withHead(
      new Model({ inputs: whole.inputs, outputs: whole.getLayer('block2_pool').output }),
    );
    model.trainable = false;
    model.unfreezeFrom('block2_conv1');
    expect(model.trainableWeights.map(({ path }) => path)).toEqual([
      'block2_conv1/kernel',
      'block2_conv1/bias',
    ]);
  });

  it('names the layers there are when there is none of that name', () => {
    expect(() => miniVgg().unfreezeFrom('block5_conv1')).toThrow(/no layer called block5_conv1/);
  });
});
