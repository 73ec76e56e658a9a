import { existsSync, readFileSync } from 'node:fs';
import { Dense, Flatten, Model, splitFrozen } from '@convbase/layers';
import { describe, expect, test } from 'vitest';
import { buildArchitecture } from './architecture.ts';
import { weightsCatalogue } from '../weights/index.ts';
import { applications, type ApplicationName } from './applications.ts';

const names = ['vgg16', 'vgg19', 'inception_v3', 'resnet50'] as const satisfies readonly ApplicationName[];

/** One line per layer as in `fixtures/layers`: name, class, shapes of the weights. */
function lines(model: Model): string[] {
  return model.layers.map((layer) =>
    [layer.name, layer.className, ...layer.weights.map((weight) => weight.shape.join('x'))].join(' '),
  );
}

function fixture(name: string): { base: string[]; full: string[] } {
  const text = readFileSync(new URL(`../../fixtures/layers/${name}.txt`, import.meta.url), 'utf8');
  const [base = [], top = []] = text.split('--- top ---').map((part) => part.trim().split('\n'));
  return { base, full: [...base, ...top] };
}

const build = (name: ApplicationName, options: Parameters<typeof buildArchitecture>[1]): Model =>
  buildArchitecture(applications[name], options);

describe.each(names)('%s', (name) => {
  test('has the layers of Keras, in its order, with and without the top', () => {
    const { base, full } = fixture(name);
    expect(lines(build(name, { includeTop: true }))).toEqual(full);
    expect(lines(build(name, { includeTop: false }))).toEqual(base);
  });

  test('refuses pictures that are too small, and open sizes with the top', () => {
    const { minSize } = applications[name];
    expect(() => build(name, { includeTop: false, inputShape: [minSize - 1, 300, 3] })).toThrow(
      expect.objectContaining({
        code: 'model/input-shape',
        message: expect.stringContaining(`${minSize}x${minSize}`) as string,
      }),
    );
    expect(() => build(name, { includeTop: true, inputShape: [null, null, 3] })).toThrow(/needs one size/);
    const { outputs } = build(name, { includeTop: false, inputShape: [minSize, minSize, 3] });
    expect(outputs[0]?.shape.slice(1, 3)).toEqual([1, 1]);
  });

  test('pools as asked, and classifies into as many classes as asked', () => {
    const channels = { vgg16: 512, vgg19: 512, inception_v3: 2048, resnet50: 2048 }[name];
    expect(build(name, { includeTop: false, pooling: 'avg' }).output.shape).toEqual([null, channels]);
    const pooled = build(name, { includeTop: false, pooling: 'max' });
    expect(pooled.output.shape).toEqual([null, channels]);
    expect(pooled.output.layer.name).toBe(name === 'resnet50' ? 'max_pool' : 'global_max_pooling2d');
    expect(build(name, { classes: 7, classifierActivation: null }).output.shape).toEqual([null, 7]);
    expect(() => build(name, { classes: 0 })).toThrow(/number of classes/);
  });
});

test('ImageNet has 1000 classes', async () => {
  await expect(applications.vgg16.create({ classes: 10 })).rejects.toMatchObject({ code: 'model/classes' });
});

describe('figures of the notebooks', () => {
  const withHead = (name: ApplicationName, size: number): { base: Model; model: Model } => {
    const base = build(name, { includeTop: false, inputShape: [size, size, 3] });
    const flat = new Flatten({ name: 'flatten_head' }).apply(base.output);
    const dense = new Dense({ units: 256, activation: 'relu', name: 'head_dense' }).apply(flat);
    const output = new Dense({ units: 1, activation: 'sigmoid', name: 'head_out' }).apply(dense);
    return { base, model: new Model({ inputs: base.inputs, outputs: [output], name: 'classifier' }) };
  };

  const countTrainable = (model: Model): number =>
    model.trainableWeights.reduce((sum, { size }) => sum + size, 0);

  test('VGG16: 14,714,688 parameters, 16,812,353 with the head; 30 trainable weights and, frozen, 4', () => {
    const { base, model } = withHead('vgg16', 150);
    expect(base.countParams()).toBe(14_714_688);
    expect(model.countParams()).toBe(16_812_353);
    expect(model.trainableWeights).toHaveLength(30);
    base.trainable = false;
    expect(model.trainableWeights).toHaveLength(4);
    base.unfreezeLast(4);
    expect(countTrainable(model)).toBe(9_177_089);
    base.unfreezeFrom('block5_conv1');
    expect(countTrainable(model)).toBe(9_177_089);
    const { suffix, flops } = splitFrozen(model) ?? {};
    expect(suffix?.inputs.map(({ shape }) => shape)).toEqual([[null, 9, 9, 512]]);
    // 6 of the 6.6 billion products of the whole.
    expect([flops, model.flops()]).toEqual([12_084_364_800, 13_235_177_472]);
    expect(build('vgg16', { includeTop: false, inputShape: [180, 180, 3] }).output.shape).toEqual([
      null,
      5,
      5,
      512,
    ]);
  });

  test('InceptionV3: 21,802,784 parameters, (3, 3, 2048) at 150; 192 trainable weights and, frozen, 4', () => {
    const { base, model } = withHead('inception_v3', 150);
    expect(base.countParams()).toBe(21_802_784);
    expect(base.output.shape).toEqual([null, 3, 3, 2048]);
    expect(model.trainableWeights).toHaveLength(192);
    base.trainable = false;
    expect(model.trainableWeights).toHaveLength(4);
    base.unfreezeLast(12);
    expect([model.countParams(), countTrainable(model)]).toEqual([26_521_889, 5_112_833]);
    // The last twelve are scattered over the branches of the last block.
    const { prefix, suffix } = splitFrozen(model) ?? {};
    expect(suffix?.inputs.map(({ shape }) => shape[3])).toEqual([320, 2048, 768, 768]);
    expect(prefix?.outputs.map(({ layer }) => layer.name)).toEqual([
      'conv2d_85',
      'average_pooling2d_8',
      'mixed9_1',
      'concatenate_1',
    ]);
    expect(suffix?.trainableWeights).toEqual(model.trainableWeights);
  });

  test('parameters with the top', () => {
    const counts = names.map((name) => build(name, {}).countParams());
    expect(counts).toEqual([138_357_544, 143_667_240, 23_851_784, 25_636_712]);
  });

  test('take four bytes each in the files of the catalogue, with less than a hundredth around them', () => {
    for (const { model, includeTop, maxBytes = 0 } of weightsCatalogue()) {
      const bytes = maxBytes / 1.02;
      const parameters = 4 * build(model, { includeTop }).countParams();
      expect(bytes / parameters, `${model} ${includeTop}`).toBeGreaterThan(1);
      expect(bytes / parameters, `${model} ${includeTop}`).toBeLessThan(1.01);
    }
  });

  test('preprocessing', () => {
    expect(names.map((name) => applications[name].preprocess)).toEqual(['caffe', 'caffe', 'tf', 'caffe']);
  });
});

const goldenFolder = new URL('../../../../../shared/golden/models/', import.meta.url);

describe.skipIf(!existsSync(goldenFolder))('the lists beside the full-model goldens', () => {
  test.each(['vgg16', 'inception_v3'] as const)('%s', (name) => {
    const text = readFileSync(new URL(`${name}_layers.json`, goldenFolder), 'utf8');
    const expected = (JSON.parse(text) as [string, string, number[][]][]).filter(
      ([, type]) => type !== 'InputLayer',
    );
    const model = build(name, { includeTop: false });
    const actual = model.layers.map((layer) => [
      layer.name,
      layer.className,
      layer.weights.map(({ shape }) => shape),
    ]);
    expect(actual.filter(([, type]) => type !== 'InputLayer')).toEqual(expected);
  });
});
