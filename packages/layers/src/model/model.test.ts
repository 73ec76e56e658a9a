import { describe, expect, it } from 'vitest';
import {
  Activation,
  Add,
  BatchNormalization,
  Concatenate,
  Conv2D,
  Dense,
  Flatten,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  input,
  MaxPooling2D,
  Model,
  NameScope,
  Rescaling,
  Reshape,
  Sequential,
  ZeroPadding2D,
  type HostArray,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';
import { randoms, relativeError } from '../testing/numbers.ts';

const floats = (shape: number[], seed = 1): HostArray => ({
  data: randoms(
    shape.reduce((a, b) => a * b, 1),
    seed,
  ),
  shape,
});

describe('shapes', () => {
  it('are inferred, with open dimensions left open', () => {
    const names = new NameScope();
    const x = input({ shape: [null, 29, 3], names });
    const conv = new Conv2D({ filters: 8, kernelSize: [3, 2], strides: 2, padding: 'same', names }).apply(x);
    expect(conv.shape).toEqual([null, null, 15, 8]);
    const valid = new Conv2D({ filters: 8, kernelSize: 3, dilationRate: 2, names }).apply(conv);
    expect(valid.shape).toEqual([null, null, 11, 8]);
    const pad = new ZeroPadding2D({
      padding: [
        [0, 1],
        [2, 3],
      ],
      names,
    }).apply(valid);
    expect(pad.shape).toEqual([null, null, 16, 8]);
    const pool = new MaxPooling2D({ poolSize: 3, strides: 2, names }).apply(pad);
    expect(pool.shape).toEqual([null, null, 7, 8]);
    expect(new Flatten({ names }).apply(pool).shape).toEqual([null, null]);
    expect(new GlobalMaxPooling2D({ keepdims: true, names }).apply(pool).shape).toEqual([null, 1, 1, 8]);
    expect(new Concatenate({ names }).apply([pool, pool, pool]).shape).toEqual([null, null, 7, 24]);
    const flat = input({ shape: [12], names });
    expect(new Reshape({ targetShape: [-1, 4], names }).apply(flat).shape).toEqual([null, 3, 4]);
    expect(new Dense({ units: 5, names }).apply(input({ shape: [7, 4], names })).shape).toEqual([null, 7, 5]);
  });

  it('that do not fit name the layer, the shapes and what to do', () => {
    const names = new NameScope();
    const x = input({ shape: [4, 4, 3], names });
    const large = new Conv2D({ filters: 1, kernelSize: 5, name: 'large' });
    expect(() => large.apply(x)).toThrow(
      /Conv2D large: its 5x5 kernel does not fit into .*\(None, 4, 4, 3\)/,
    );
    const conv = new Conv2D({ filters: 1, kernelSize: 1, name: 'conv' });
    conv.apply(x);
    expect(() => conv.apply(input({ shape: [4, 4, 2], names }))).toThrow(
      /Conv2D conv: expects 3 channels.* has 2/,
    );
    expect(() =>
      new Conv2D({ filters: 1, kernelSize: 1, name: 'flat' }).apply(input({ shape: [4], names })),
    ).toThrow(/Conv2D flat: needs an input of 4 dimensions/);
    expect(() => new Dense({ units: 2, name: 'open' }).apply(input({ shape: [null], names }))).toThrow(
      /Dense open: .*unknown size/,
    );
    const y = input({ shape: [4, 5, 3], names });
    expect(() => new Add({ name: 'sum' }).apply([x, y])).toThrow(
      'Add sum: cannot add (None, 4, 4, 3) and (None, 4, 5, 3)',
    );
    expect(() => new Concatenate({ name: 'join' }).apply([x, y])).toThrow(/Concatenate join: cannot join/);
    expect(() => new Reshape({ targetShape: [5], name: 'turn' }).apply(x)).toThrow(
      /Reshape turn: cannot turn/,
    );
    expect(() => new Activation({ activation: 'gelu', name: 'act' })).toThrow(
      /act: there is no activation called gelu/,
    );
  });
});

describe('a model', () => {
  const gpu = withGpu();

  it('computes the same fused as with every layer by itself', async () => {
    const model = miniInception().to(gpu());
    model.weights.forEach((weight, i) => {
      weight.assign(
        randoms(weight.size, i).map((v) => (weight.name === 'moving_variance' ? 1 + v / 2 : v / 2)),
      );
    });
    const x = floats([3, 33, 29, 3]);
    const fused = await model.predict(x);
    const outputs = model.layers.slice(1).map((layer) => layer.output);
    const all = new Model({ inputs: model.inputs, outputs }).to(gpu());
    const single = (await all.predictOnBatch(x)).at(-1);
    // Folding rounds the weights once more; a few hundred terms at 2^-23 each.
    expect(relativeError(fused.data, single?.data ?? [])).toBeLessThan(3e-6);
    model.dispose();
  });

  it('computes folded weights anew when a weight changes', async () => {
    const names = new NameScope();
    const conv = new Conv2D({ filters: 2, kernelSize: 1, name: 'conv', useBias: false });
    const norm = new BatchNormalization({ name: 'norm', epsilon: 1e-3 });
    const i = input({ shape: [1, 1, 1], names });
    const model = new Model({ inputs: i, outputs: norm.apply(conv.apply(i)), names }).to(gpu());
    conv.kernel.assign(Float32Array.of(1, 2));
    norm.moving.mean.assign(Float32Array.of(0.5, 0.5));
    norm.moving.variance.assign(Float32Array.of(1 - 1e-3, 4 - 1e-3));
    const x: HostArray = { data: Float32Array.of(2), shape: [1, 1, 1, 1] };
    const first = await model.predict(x);
    expect(first.data[0]).toBeCloseTo(1.5, 6);
    expect(first.data[1]).toBeCloseTo(1.75, 6);
    conv.kernel.assign(Float32Array.of(3, 2));
    norm.beta?.assign(Float32Array.of(0, 10));
    const second = await model.predict(x);
    expect(second.data[0]).toBeCloseTo(5.5, 5);
    expect(second.data[1]).toBeCloseTo(11.75, 5);
    model.dispose();
  });

  it('is a layer: nested, shared and called twice', async () => {
    const names = new NameScope();
    const inner = new Sequential({
      layers: [input({ shape: [3], names }), new Dense({ units: 2, name: 'd' })],
      name: 'inner',
      names,
    });
    const a = input({ shape: [3], names });
    const b = input({ shape: [3], names });
    const sum = new Add({ names }).apply([inner.apply(a), inner.apply(b)]);
    const model = new Model({ inputs: [a, b], outputs: [sum, inner.nodes[0]?.outputs[0] ?? sum] }).to(gpu());
    expect(model.weights.map((weight) => weight.path)).toEqual(['d/kernel', 'd/bias']);
    expect(model.getWeight('inner/d/kernel')).toBe(model.getWeight('d/kernel'));
    expect(model.trainableWeights).toHaveLength(2);
    inner.trainable = false;
    expect(model.trainableWeights).toHaveLength(0);
    model.getWeight('d/kernel').assign(Float32Array.of(1, 2, 3, 4, 5, 6));
    inner.to(gpu());
    const y = await inner.predict({ data: Float32Array.of(1, 0, -1), shape: [1, 3] });
    expect([...y.data]).toEqual([-4, -4]);
    model.dispose();
  });

  it('takes pictures of any size when its input is open', async () => {
    const names = new NameScope();
    const model = new Sequential({
      names,
      layers: [
        input({ shape: [null, null, 3], names }),
        new Conv2D({ filters: 2, kernelSize: 3, padding: 'same', names }),
        new GlobalAveragePooling2D({ names }),
      ],
    }).to(gpu());
    expect((await model.predict(floats([2, 5, 7, 3]))).shape).toEqual([2, 2]);
    expect((await model.predict(floats([1, 12, 4, 3]))).shape).toEqual([1, 2]);
    model.dispose();
  });

  it('turns bytes into floats on the GPU, whatever their number', async () => {
    const names = new NameScope();
    const model = new Sequential({
      names,
      layers: [input({ shape: [1, null, 3], names }), new Rescaling({ scale: 2, offset: 1, names })],
    });
    model.to(gpu());
    const data = Uint8Array.of(0, 51, 255, 10, 20, 30, 1, 2, 3);
    const rescaled = await model.predict({ data, shape: [1, 1, 3, 3], preprocess: 'rescale' });
    data.forEach((byte, i) => {
      expect(rescaled.data[i]).toBeCloseTo((byte / 255) * 2 + 1, 6);
    });
    const plain = await model.predict({ data, shape: [1, 1, 3, 3] });
    expect([...plain.data]).toEqual([...data].map((byte) => byte * 2 + 1));
    const caffe = await model.predict({ data, shape: [1, 1, 3, 3], preprocess: 'caffe' });
    expect(caffe.data[0]).toBeCloseTo((255 - 103.939) * 2 + 1, 3);
  });

  it('turns bytes that are not RGB into floats too, where the mode allows it', async () => {
    const names = new NameScope();
    const model = new Sequential({
      names,
      layers: [input({ shape: [2], names }), new Rescaling({ scale: 1, offset: 1, names })],
    }).to(gpu());
    const x = { data: Uint8Array.of(0, 255), shape: [1, 2] };
    expect([...(await model.predict({ ...x, preprocess: 'rescale' })).data]).toEqual([1, 2]);
    expect([...(await model.predict({ ...x, preprocess: 'tf' })).data]).toEqual([0, 2]);
    expect([...(await model.predict(x)).data]).toEqual([1, 256]);
    await expect(model.predict({ ...x, preprocess: 'caffe' })).rejects.toThrow(/needs RGB/);
  });

  it('refuses data of another shape and says which is right', async () => {
    const model = miniVgg().to(gpu());
    await expect(model.predict(floats([1, 20, 21, 3]))).rejects.toThrow(
      /mini_vgg: its input input_layer has shape \(None, 20, 20, 3\), the data \(1, 20, 21, 3\)/,
    );
    await expect(model.predict({ data: new Float32Array(5), shape: [1, 20, 20, 3] })).rejects.toThrow(
      /5 values/,
    );
    expect(gpu().memory().liveBuffers).toBe(0);
  });

  it('frees intermediates as it goes', async () => {
    const model = miniVgg().to(gpu());
    const x = floats([4, 20, 20, 3]);
    await model.predict(x);
    const weights = model.countParams() * 4;
    // All activations of a batch would be 240 kB; what is left are the weights, rounded up by the pool.
    expect(gpu().memory().liveBytes).toBeLessThan(weights + 256 * model.weights.length + weights / 8);
    expect(gpu().memory().liveBuffers).toBe(model.weights.length);
    model.dispose();
  });

  it('brings its weights back and can move on', async () => {
    const model = miniVgg().to(gpu());
    const x = floats([1, 20, 20, 3]);
    const before = await model.predict(x);
    await model.toHost();
    expect(gpu().memory().liveBuffers).toBe(0);
    const after = await model.to(gpu()).predict(x);
    expect(after.data).toEqual(before.data);
    model.dispose();
  });

  it('finds layers and weights by name, and says what there is', () => {
    const model = miniVgg();
    expect(model.getLayer('block2_conv1').className).toBe('Conv2D');
    expect(() => model.getLayer('block2')).toThrow('block2_conv1, block2_pool');
    expect(() => model.getWeight('block2_conv1/gamma')).toThrow('no weight is called block2_conv1/gamma');
    expect(() => model.to(gpu()).compiled).toThrow(/compile/);
    expect(() => miniVgg().gpu).toThrow(/model.to/);
  });

  it('refuses two layers of one name and outputs without their input', () => {
    const names = new NameScope();
    const x = input({ shape: [2], names });
    const a = new Dense({ units: 2, name: 'same' }).apply(x);
    const b = new Dense({ units: 2, name: 'same' }).apply(a);
    expect(() => new Model({ inputs: x, outputs: b, names })).toThrow('two layers are called same');
    expect(() => new Model({ inputs: input({ shape: [2], names }), outputs: a, names })).toThrow(
      /depends on the input/,
    );
  });
});
