import { describe, expect, it } from 'vitest';
import {
  Add,
  BatchNormalization,
  Conv2D,
  Dense,
  Dropout,
  Flatten,
  input,
  MaxPooling2D,
  Model,
  NameScope,
  SGD,
  Sequential,
  splitFrozen,
  type FrozenSplit,
  type HostArray,
  type Layer,
} from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { miniInception, miniVgg } from '../testing/mini-models.ts';
import { randoms, relativeError } from '../testing/numbers.ts';

function split(model: Model): FrozenSplit {
  const parts = splitFrozen(model);
  if (parts === null) throw new Error('nothing is frozen in front');
  return parts;
}

const names = (model: Model): string[] =>
  model.layers.filter(({ className }) => className !== 'InputLayer').map(({ name }) => name);

/** Every layer with how often it is called, and which of its calls were first. */
function traces(layers: readonly Layer[]): unknown[] {
  return layers.flatMap((layer) => [layer.name, layer.nodes.length, ...traces(layer.sublayers)]);
}

describe('where a model is parted', () => {
  it('is in front of the first trainable layer, pooling and flattening before it included', () => {
    const model = miniVgg().unfreezeFrom('dense');
    const { prefix, suffix, layers, flops } = split(model);
    expect(names(prefix)).toEqual(names(model).slice(0, -2));
    expect(names(suffix)).toEqual(['dense', 'dense_1']);
    expect(suffix.inputs.map(({ shape }) => shape)).toEqual([[null, 300]]);
    expect(layers).toBe(6);
    expect(flops).toBe(2 * (400 * 8 * 27 + 400 * 8 * 72 + 100 * 12 * 72));
    expect(suffix.trainableWeights).toEqual(model.trainableWeights);
    expect(suffix.weights).toHaveLength(4);
  });

  it('is inside a nested model, and equal names in it do no harm', () => {
    const inner = miniVgg();
    const scope = new NameScope();
    const model = new Sequential({
      names: scope,
      layers: [inner, new Dense({ units: 3, names: scope }), new Dense({ units: 1, names: scope })],
    });
    inner.unfreezeFrom('block2_conv1');
    const { prefix, suffix } = split(model);
    expect(names(prefix)).toEqual(['block1_conv1', 'block1_conv2', 'block1_pool']);
    expect(names(suffix)).toEqual([
      'block2_conv1',
      'block2_pool',
      'flatten',
      'dense',
      'dense_1',
      'dense',
      'dense_1',
    ]);
  });

  it('is never behind chance or batch statistics', () => {
    const scope = new NameScope();
    const build = (between: Layer): Model =>
      new Sequential({
        names: scope,
        layers: [
          input({ shape: [4, 4, 3], names: scope }),
          new Conv2D({ filters: 2, kernelSize: 3, trainable: false, names: scope }),
          between,
          new Conv2D({ filters: 2, kernelSize: 1, trainable: false, names: scope }),
          new Dense({ units: 1, names: scope }),
        ],
      });
    const behind = (layer: Layer): number => split(build(layer)).layers;
    expect(behind(new MaxPooling2D())).toBe(3);
    expect(behind(new Dropout({ rate: 0.5 }))).toBe(1);
    expect(behind(new BatchNormalization({ trainable: false }))).toBe(3);
    expect(behind(new BatchNormalization())).toBe(1);
    expect(behind(new BatchNormalization({ center: false, scale: false }))).toBe(1);
  });

  it('is nowhere when nothing is frozen in front, or nothing is to be trained', () => {
    expect(splitFrozen(miniVgg())).toBeNull();
    const frozen = miniVgg();
    frozen.trainable = false;
    expect(splitFrozen(frozen)).toBeNull();
    const middle = miniVgg();
    middle.getLayer('block1_conv2').trainable = false;
    expect(splitFrozen(middle)).toBeNull();
  });

  it('parts the calls of a shared layer, and leaves no trace on the model', () => {
    const scope = new NameScope();
    const shared = new Conv2D({
      filters: 3,
      kernelSize: 3,
      padding: 'same',
      name: 'shared',
      trainable: false,
    });
    const x = input({ shape: [6, 6, 3], names: scope });
    const once = shared.apply(x);
    const trained = new Conv2D({ filters: 3, kernelSize: 1, name: 'trained' }).apply(once);
    const sum = new Add({ names: scope }).apply([shared.apply(once), shared.apply(trained)]);
    const model = new Model({ inputs: x, outputs: new Flatten({ names: scope }).apply(sum) });
    const before = traces(model.layers);
    const summary = model.summary();
    const { prefix, suffix, layers } = split(model);
    // Two calls in front, whose outputs are both needed, and one behind.
    expect([layers, prefix.outputs.length]).toEqual([1, 2]);
    expect(suffix.graph.nodes.filter(({ layer }) => layer === shared)).toHaveLength(1);
    expect(traces(model.layers)).toEqual(before);
    expect(model.summary()).toBe(summary);
  });

  it('cuts several branches at once', () => {
    const model = miniInception();
    model.unfreezeFrom('conv2d_5');
    const { prefix, suffix } = split(model);
    expect(prefix.outputs.length).toBeGreaterThan(1);
    expect(suffix.inputs).toHaveLength(prefix.outputs.length);
    expect(suffix.trainableWeights).toEqual(model.trainableWeights);
  });
});

describe('training the suffix on what the prefix makes', () => {
  const gpu = withGpu();

  const batchOf = (model: Model, samples: number): { x: HostArray; y: HostArray } => {
    const shape = [samples, ...(model.inputs[0]?.shape.slice(1) ?? []).map((size) => size ?? 1)];
    const classes = model.outputs[0]?.shape.at(-1) ?? 1;
    const y = new Float32Array(samples * classes);
    for (let i = 0; i < samples; i++) y[i * classes + (i % classes)] = i % 2 || classes > 1 ? 1 : 0;
    return {
      x: { data: randoms(shape.reduce((a, b) => a * b, 1)), shape },
      y: { data: y, shape: [samples, classes] },
    };
  };

  const cases: [string, () => Model, (model: Model) => void][] = [
    ['a stack', miniVgg, (model) => model.unfreezeFrom('block2_conv1')],
    ['a stack, the head alone', miniVgg, (model) => model.unfreezeLast(2)],
    ['branches', miniInception, (model) => model.unfreezeFrom('conv2d_5')],
    [
      'branches, normalisation frozen throughout',
      miniInception,
      (model) => {
        model.unfreezeLast(12);
        for (const layer of model.layers) if (layer instanceof BatchNormalization) layer.trainable = false;
      },
    ],
    [
      'a nested base with a dropout behind it',
      () => {
        const whole = miniInception();
        const scope = new NameScope();
        const mixed = whole.getLayer('mixed1').output;
        return new Sequential({
          names: scope,
          layers: [
            new Model({ inputs: whole.inputs, outputs: mixed, name: 'base' }),
            new Flatten({ names: scope }),
            new Dropout({ rate: 0.3, names: scope }),
            new Dense({ units: 1, activation: 'sigmoid', names: scope }),
          ],
        });
      },
      (model) => model.unfreezeFrom('conv2d_7'),
    ],
  ];

  it.each(cases)('is training the model: %s', async (_, build, freeze) => {
    const train = async (cached: boolean): Promise<{ losses: number[]; model: Model }> => {
      const model = build().to(gpu());
      model.seed(7);
      freeze(model);
      const { x, y } = batchOf(model, 6);
      const parts = split(model);
      const trained = cached ? parts.suffix.to(gpu()) : model;
      const front = cached ? await parts.prefix.to(gpu()).predictOnBatch(x) : [x];
      const loss = y.shape[1] === 1 ? 'binaryCrossentropy' : 'categoricalCrossentropy';
      trained.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss });
      const losses: number[] = [];
      for (let step = 0; step < 4; step++) {
        const [only, ...more] = front;
        const inputs = more.length === 0 && only !== undefined ? only : front;
        losses.push((await trained.trainOnBatch({ x: inputs, y }))['loss'] ?? NaN);
      }
      parts.prefix.dispose();
      if (cached) parts.suffix.dispose();
      return { losses, model };
    };
    const whole = await train(false);
    const parted = await train(true);
    expect(whole.losses.at(-1)).toBeLessThan(whole.losses[0] ?? 0);
    expect(relativeError(parted.losses, whole.losses)).toBeLessThan(1e-6);
    for (const [index, weight] of whole.model.weights.entries()) {
      const other = parted.model.weights[index];
      expect(other?.path).toBe(weight.path);
      expect(relativeError((await other?.read()) ?? [], await weight.read()), weight.path).toBeLessThan(1e-6);
    }
    whole.model.dispose();
    parted.model.dispose();
  });
});
