import { describe, expect, it } from 'vitest';
import { augmentWithLayers } from '../../augmentation/layers-flow.ts';
import { Sequential } from '../../model/sequential.ts';
import { augment } from '../../ops/augment.ts';
import { withGpu } from '../../testing/gpu.ts';
import { randoms } from '../../testing/numbers.ts';
import { tensor } from '../../tensor/tensor.ts';
import { uploadInput } from '../../training/upload.ts';
import { CallContext } from '../context.ts';
import { Conv2D } from '../conv2d.ts';
import { Dense } from '../dense.ts';
import { Flatten } from '../reshaping.ts';
import {
  CenterCrop,
  RandomBrightness,
  RandomContrast,
  RandomFlip,
  RandomRotation,
  RandomTranslation,
  RandomZoom,
  Resizing,
  type AugmentationLayer,
} from './index.ts';

/** One of each, with a given seed. */
const layersWith = (seed: number): AugmentationLayer[] => [
  new RandomFlip({ seed }),
  new RandomRotation({ factor: 0.3, seed }),
  new RandomZoom({ heightFactor: 0.4, seed }),
  new RandomTranslation({ heightFactor: 0.3, widthFactor: 0.3, seed }),
  new RandomContrast({ factor: [0.9, 0.9], valueRange: [-1, 1], seed }),
  new RandomBrightness({ factor: 0.5, valueRange: [-1, 1], seed }),
];

describe('augmentation layers', () => {
  const gpu = withGpu();
  const values = randoms(6 * 5 * 4 * 2);
  const shape = [6, 5, 4, 2];

  async function call(layer: AugmentationLayer, training: boolean, rows = [0, 6]): Promise<number[]> {
    const [from = 0, to = 0] = rows;
    const x = tensor(gpu(), values.slice(from * 40, to * 40), [to - from, ...shape.slice(1)]);
    const [y] = layer.call([x], new CallContext(gpu(), training));
    const data = await y?.data();
    x.dispose();
    y?.dispose();
    return [...(data ?? [])];
  }

  it.each(layersWith(1).map((layer, i) => [layer.className, i] as const))('%s', async (_, i) => {
    const make = (seed: number): AugmentationLayer => layersWith(seed)[i] ?? new RandomFlip();
    const layer = make(1);
    // Nothing happens outside of training, and no random numbers are used up.
    expect(await call(layer, false)).toEqual([...values]);
    expect(layer.randomOffset).toBe(0);
    const first = await call(layer, true);
    expect(first).not.toEqual([...values]);
    expect(layer.randomOffset).toBe(6);
    const second = await call(layer, true);
    expect(second).not.toEqual(first);
    // The same seed draws the same, whatever the size of the batches; another seed draws otherwise.
    const again = make(1);
    expect([...(await call(again, true, [0, 2])), ...(await call(again, true, [2, 6]))]).toEqual(first);
    expect(await call(make(2), true)).not.toEqual(first);
    // A resumed run sets the offset.
    const resumed = make(1);
    resumed.randomOffset = 6;
    expect(await call(resumed, true)).toEqual(second);
    resumed.seed(99);
    expect(await call(resumed, true)).toEqual(first);
  });

  it('take their seed from the model where they have none', async () => {
    const draw = async (seed: number, name: string): Promise<number[]> => {
      const layer = new RandomRotation({ factor: 0.5, name });
      layer.seed(seed);
      return call(layer, true);
    };
    const first = await draw(1, 'a');
    expect(await draw(1, 'a')).toEqual(first);
    expect(await draw(2, 'a')).not.toEqual(first);
    expect(await draw(1, 'b')).not.toEqual(first);
  });

  it('do to bytes what they do in front of a model', async () => {
    const data = Uint8Array.from({ length: 2 * 6 * 5 * 3 }, (_, i) => (i * 53) % 251);
    const layers = [new RandomFlip({ mode: 'horizontal' }), new RandomRotation({ factor: 0.2 })];
    const source = { batches: () => [{ x: { data, shape: [2, 6, 5, 3], preprocess: 'tf' as const } }] };
    for await (const { x } of augmentWithLayers(source, layers, { seed: 3 }).batches(0)) {
      if (!('data' in x) || x.augment === undefined) throw new Error('no transforms');
      const both = uploadInput(gpu(), x, 'test');
      let step = tensor(gpu(), Float32Array.from(data), x.shape);
      for (const transforms of x.augment) {
        const next = augment(step, transforms);
        step.dispose();
        step = next;
      }
      const expected = (await step.data()).map((v) => v / 127.5 - 1);
      (await both.data()).forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i] ?? NaN, 5);
      });
      both.dispose();
      step.dispose();
    }
  });
});

describe('augmentation layers in a model', () => {
  const gpu = withGpu();
  const data = {
    batches: () => [
      { x: { data: randoms(4 * 6 * 6 * 3), shape: [4, 6, 6, 3] }, y: { data: randoms(4), shape: [4, 1] } },
    ],
  };

  it('are in effect in fit and not in predict, and a resumed stream goes on', async () => {
    const model = new Sequential({
      inputShape: [6, 6, 3],
      layers: [
        new RandomFlip({ mode: 'horizontal' }),
        new RandomZoom({ heightFactor: 0.2 }),
        new Resizing({ height: 5, width: 7 }),
        new CenterCrop({ height: 4, width: 4 }),
        new Flatten(),
        new Dense({ units: 1 }),
      ],
    }).to(gpu());
    expect(model.outputs[0]?.shape).toEqual([null, 1]);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const [batch] = data.batches();
    if (batch === undefined) throw new Error('no batch');
    const before = await model.predict(batch.x);
    expect(await model.predict(batch.x)).toEqual(before);
    await model.fit(data, { epochs: 2 });
    const offsets = model.layers.map((layer) => layer.randomOffset ?? 0);
    expect(offsets.filter((offset) => offset === 8)).toHaveLength(2);
    model.dispose();
  });

  it('have no gradient, and say so where one is needed', async () => {
    const model = new Sequential({
      inputShape: [6, 6, 3],
      layers: [
        new Conv2D({ filters: 2, kernelSize: 3 }),
        new RandomRotation({ factor: 0.1, name: 'turn' }),
        new Flatten(),
        new Dense({ units: 1 }),
      ],
    }).to(gpu());
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expect(model.fit(data, { epochs: 1 })).rejects.toThrow(/RandomRotation turn.*no gradient/);
    model.dispose();
  });
});

describe('factors and options', () => {
  it('mean what they do in Keras 3', () => {
    expect(new RandomRotation({ factor: -0.2 }).factor).toEqual([-0.2, 0.2]);
    expect(new RandomRotation({ factor: [0.3, -0.1] }).factor).toEqual([-0.1, 0.3]);
    expect(new RandomContrast({ factor: 0.3 }).factor).toEqual([0, 0.3]);
    expect(new RandomContrast({ factor: [0.4, 0.3] }).factor).toEqual([0.3, 0.4]);
    expect(new RandomBrightness({ factor: 0.3, valueRange: [1, 0] }).valueRange).toEqual([0, 1]);
  });

  const refused: [what: string, make: () => object][] = [
    ['a rotation of 1.1 turns', () => new RandomRotation({ factor: 1.1 })],
    ['a contrast below 0', () => new RandomContrast({ factor: -0.1 })],
    ['a zoom to nothing', () => new RandomZoom({ heightFactor: [-1, 0] })],
    ['a shift by more than all', () => new RandomTranslation({ heightFactor: 0, widthFactor: 1.2 })],
    ['a factor that is none', () => new RandomBrightness({ factor: NaN })],
    ['three factors', () => new RandomZoom({ heightFactor: [1, 2, 3] as unknown as [number, number] })],
    ['an unknown fill mode', () => new RandomZoom({ heightFactor: 0, fillMode: 'mirror' as 'wrap' })],
    ['an unknown flip', () => new RandomFlip({ mode: 'both' as 'vertical' })],
    [
      'an unknown interpolation',
      () => new Resizing({ height: 1, width: 1, interpolation: 'area' as 'nearest' }),
    ],
    ['a size of nothing', () => new CenterCrop({ height: 0, width: 4 })],
    [
      'cropping and padding',
      () => new Resizing({ height: 1, width: 1, cropToAspectRatio: true, padToAspectRatio: true }),
    ],
  ];

  it.each(refused)('%s is refused', (_, make) => {
    expect(make).toThrow(/is not possible|there is no|whole numbers|not both/);
  });
});
