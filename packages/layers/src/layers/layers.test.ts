import { describe, expect, it } from 'vitest';
import { Conv2D, Dense, initializers, input, MaxPooling2D, NameScope, ReLU, toSnakeCase } from '../index.ts';
import { initializerFrom } from './initializers.ts';
import { Variable } from './variable.ts';

describe('names', () => {
  it('are those of Keras', () => {
    const expected = {
      Conv2D: 'conv2d',
      MaxPooling2D: 'max_pooling2d',
      GlobalAveragePooling2D: 'global_average_pooling2d',
      BatchNormalization: 'batch_normalization',
      ReLU: 're_lu',
      ZeroPadding2D: 'zero_padding2d',
      InputLayer: 'input_layer',
      Dense: 'dense',
    };
    for (const [className, name] of Object.entries(expected)) expect(toSnakeCase(className)).toBe(name);
  });

  it('are counted per scope, and a given name uses up none', () => {
    const names = new NameScope();
    const made = [undefined, 'mine', undefined].map(
      (name) =>
        new Conv2D({ filters: 1, kernelSize: 1, names, ...(name === undefined ? {} : { name }) }).name,
    );
    expect(made).toEqual(['conv2d', 'mine', 'conv2d_1']);
    expect(new Conv2D({ filters: 1, kernelSize: 1, names: new NameScope() }).name).toBe('conv2d');
  });
});

describe('initializers', () => {
  const statistics = (values: Float32Array): { mean: number; deviation: number; largest: number } => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return {
      mean,
      deviation: Math.sqrt(variance),
      largest: values.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
    };
  };

  it('have the spread of their formula', () => {
    const shape = [3, 3, 40, 60];
    const glorot = statistics(initializers.glorotUniform()(shape, 1));
    const limit = Math.sqrt(6 / (9 * 100));
    expect(glorot.largest).toBeLessThanOrEqual(limit);
    expect(glorot.largest).toBeGreaterThan(0.999 * limit);
    // 21600 values: the standard error of mean and deviation is below 1 %.
    expect(Math.abs(glorot.mean)).toBeLessThan(0.03 * limit);
    expect(glorot.deviation / (limit / Math.sqrt(3))).toBeCloseTo(1, 1);
    const he = statistics(initializers.heNormal()(shape, 1));
    expect(he.deviation / Math.sqrt(2 / 360)).toBeCloseTo(1, 1);
    expect(he.largest).toBeLessThan((2 / 0.879) * Math.sqrt(2 / 360));
  });

  it('repeat exactly with a seed, and differ from weight to weight', async () => {
    const make = (layer: string): Promise<Float32Array> =>
      new Variable(layer, 'kernel', [4, 4], initializers.glorotUniform(), true).read();
    expect(await make('a')).toEqual(await make('a'));
    expect(await make('a')).not.toEqual(await make('b'));
    const seeded = initializers.glorotUniform({ seed: 3 });
    expect(seeded([8], 1)).toEqual(seeded([8], 2));
  });

  it('are known under each spelling', () => {
    for (const name of ['glorot_uniform', 'GlorotUniform', 'glorotUniform']) {
      expect(initializerFrom(name)([5], 9)).toEqual(initializers.glorotUniform()([5], 9));
    }
    expect(() => initializerFrom('orthogonal')).toThrow(/no initializer called orthogonal/);
    expect(() => initializerFrom('constructor')).toThrow(/no initializer called constructor/);
  });
});

describe('a variable', () => {
  it('draws its values only when somebody wants them', async () => {
    let drawn = 0;
    const variable = new Variable('big', 'kernel', [2], () => Float32Array.of(++drawn, 0), true);
    expect(drawn).toBe(0);
    expect([...(await variable.read())]).toEqual([1, 0]);
    variable.assign(Float32Array.of(5, 6));
    expect([...(await variable.read())]).toEqual([5, 6]);
    expect(drawn).toBe(1);
  });

  it('takes only as many values as it has room for', () => {
    const variable = new Variable('conv', 'kernel', [3, 3, 1, 1], initializers.zeros(), true);
    expect(() => variable.assign(new Float32Array(8))).toThrow(
      'conv/kernel: 8 values were given for shape (3, 3, 1, 1)',
    );
  });

  it('keeps assigned values when the seed changes', async () => {
    const variable = new Variable('conv', 'kernel', [2], initializers.glorotUniform(), true);
    const first = await variable.read();
    variable.reseed(1);
    expect(await variable.read()).not.toEqual(first);
    variable.assign(Float32Array.of(5, 6));
    variable.reseed(2);
    expect([...(await variable.read())]).toEqual([5, 6]);
  });
});

describe('layers', () => {
  it('count their parameters', () => {
    const names = new NameScope();
    const conv = new Conv2D({ filters: 64, kernelSize: 3, names });
    conv.apply(input({ shape: [10, 10, 3], names }));
    expect(conv.countParams()).toBe(1792);
    expect(conv.weights.map((weight) => weight.path)).toEqual(['conv2d/kernel', 'conv2d/bias']);
    expect(new Dense({ units: 3, names }).countParams()).toBe(0);
  });

  it('refuse options they cannot honour', () => {
    expect(() => new ReLU({ maxValue: 6, name: 'six' })).toThrow(/ReLU six: only the plain relu/);
    expect(() => new MaxPooling2D({ poolSize: 0 })).toThrow(/poolSize/);
    expect(() => new Conv2D({ filters: 1, kernelSize: 3, padding: 'causal' })).toThrow(/'same' or 'valid'/);
  });
});
