import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { describe, expect, it } from 'vitest';
import { Sequential } from '../model/sequential.ts';
import { Adam, RMSprop, SGD } from '../optimizers/index.ts';
import * as layers from './index.ts';

const names = new layers.NameScope();
const bad = [NaN, Infinity, -Infinity];
const noCount = [...bad, 0, -1, 1.5];
const noRate = [...bad, -0.1, 1.1];
const whole = [NaN, Infinity, 0.5];
const window = { poolSize: 2 };
const moved = { heightFactor: 0.1, widthFactor: 0.1, factor: 0.1 };

type Make = (value: never) => object;

/** Every number that a layer takes: class, option, what it cannot be, and the layer with it. */
const options: readonly [className: string, option: string, values: readonly number[], make: Make][] = [
  ['Dense', 'units', noCount, (units: number) => new layers.Dense({ units, names })],
  ['Conv2D', 'filters', noCount, (filters: number) => new layers.Conv2D({ filters, kernelSize: 3, names })],
  [
    'Conv2D',
    'kernelSize',
    noCount,
    (kernelSize: number) => new layers.Conv2D({ filters: 1, kernelSize, names }),
  ],
  [
    'Conv2D',
    'strides',
    noCount,
    (strides: number) => new layers.Conv2D({ filters: 1, kernelSize: 3, strides, names }),
  ],
  [
    'Conv2D',
    'dilationRate',
    noCount,
    (dilationRate: number) => new layers.Conv2D({ filters: 1, kernelSize: 3, dilationRate, names }),
  ],
  ['MaxPooling2D', 'poolSize', noCount, (poolSize: number) => new layers.MaxPooling2D({ poolSize, names })],
  [
    'MaxPooling2D',
    'strides',
    noCount,
    (strides: number) => new layers.MaxPooling2D({ ...window, strides, names }),
  ],
  [
    'AveragePooling2D',
    'poolSize',
    noCount,
    (poolSize: number) => new layers.AveragePooling2D({ poolSize, names }),
  ],
  [
    'AveragePooling2D',
    'strides',
    noCount,
    (strides: number) => new layers.AveragePooling2D({ ...window, strides, names }),
  ],
  [
    'ZeroPadding2D',
    'padding',
    [...bad, -1, 1.5],
    (padding: number) => new layers.ZeroPadding2D({ padding, names }),
  ],
  ['Dropout', 'rate', [...noRate, 1], (rate: number) => new layers.Dropout({ rate, names })],
  ['Dropout', 'seed', [...whole, -1], (seed: number) => new layers.Dropout({ rate: 0.5, seed, names })],
  ['BatchNormalization', 'axis', whole, (axis: number) => new layers.BatchNormalization({ axis, names })],
  [
    'BatchNormalization',
    'momentum',
    noRate,
    (momentum: number) => new layers.BatchNormalization({ momentum, names }),
  ],
  [
    'BatchNormalization',
    'epsilon',
    [...bad, -1],
    (epsilon: number) => new layers.BatchNormalization({ epsilon, names }),
  ],
  ['Softmax', 'axis', whole, (axis: number) => new layers.Softmax({ axis, names })],
  ['Concatenate', 'axis', whole, (axis: number) => new layers.Concatenate({ axis, names })],
  ['Stack', 'axis', whole, (axis: number) => new layers.Stack({ axis, names })],
  ['Rescaling', 'scale', bad, (scale: number) => new layers.Rescaling({ scale, names })],
  ['Rescaling', 'offset', bad, (offset: number) => new layers.Rescaling({ scale: 1, offset, names })],
  [
    'Reshape',
    'targetShape',
    [...bad, -2, 1.5],
    (size: number) => new layers.Reshape({ targetShape: [size], names }),
  ],
  ['InputLayer', 'shape', noCount, (size: number) => new layers.InputLayer({ shape: [size], names })],
  ['Resizing', 'size', noCount, (height: number) => new layers.Resizing({ height, width: 4, names })],
  [
    'Resizing',
    'fillValue',
    bad,
    (fillValue: number) => new layers.Resizing({ height: 4, width: 4, fillValue, names }),
  ],
  ['CenterCrop', 'size', noCount, (width: number) => new layers.CenterCrop({ height: 4, width, names })],
  [
    'RandomRotation',
    'factor',
    [...bad, 1.1],
    (factor: number) => new layers.RandomRotation({ factor, names }),
  ],
  [
    'RandomContrast',
    'factor',
    [...bad, -1],
    (factor: number) => new layers.RandomContrast({ factor, names }),
  ],
  [
    'RandomBrightness',
    'factor',
    [...bad, 2],
    (factor: number) => new layers.RandomBrightness({ factor, names }),
  ],
  [
    'RandomZoom',
    'factor',
    [...bad, 2],
    (heightFactor: number) => new layers.RandomZoom({ heightFactor, names }),
  ],
  [
    'RandomTranslation',
    'factor',
    [...bad, 2],
    (widthFactor: number) => new layers.RandomTranslation({ ...moved, widthFactor, names }),
  ],
  [
    'RandomRotation',
    'fillValue',
    bad,
    (fillValue: number) => new layers.RandomRotation({ factor: 0.1, fillValue, names }),
  ],
];

describe('options that cannot be', () => {
  it.each(options)('%s: %s', (className, option, values, make) => {
    for (const value of values) {
      let error: unknown;
      try {
        make(value as never);
      } catch (thrown) {
        error = thrown;
      }
      expect(error, String(value)).toBeInstanceOf(ConvbaseError);
      const { code, message } = error as ConvbaseError;
      expect(code).toMatch(/^layer\/(option|rate|factor)$/);
      expect(message).toContain(option);
      expect(message.replaceAll('_', ''), 'the layer').toMatch(new RegExp(className, 'i'));
    }
  });

  it('of optimizers', () => {
    for (const value of [...bad, -1]) {
      for (const Class of [Adam, RMSprop, SGD]) {
        expect(() => new Class({ learningRate: value })).toThrow(`learningRate cannot be ${value}`);
        expect(() => new Class({ weightDecay: value })).toThrow('weightDecay');
        expect(() => new Class({ clipValue: value })).toThrow('clipValue');
        expect(() => {
          new Class().learningRate = value;
        }).toThrow(`learningRate cannot be ${value}`);
      }
      expect(() => new Adam({ beta1: value })).toThrow('beta1');
      expect(() => new Adam({ beta2: value })).toThrow('beta2');
      expect(() => new Adam({ epsilon: value })).toThrow('epsilon');
      expect(() => new RMSprop({ rho: value })).toThrow('rho');
      expect(() => new SGD({ momentum: value })).toThrow('momentum');
    }
  });
});

describe('a weight too large', () => {
  const model = (): Sequential =>
    new Sequential({ inputShape: [2], layers: [new layers.Dense({ units: 1e9, name: 'wide' })] });

  it('for the device is told with its bytes, the layer and the limit, before anything is drawn', () => {
    const gpu = { limits: { maxBufferSize: 2 ** 30 }, adapter: { name: 'some adapter' } } as unknown as Gpu;
    expect(() => model().to(gpu)).toThrow(
      /^wide\/kernel: a weight of shape \(2, 1000000000\) takes 8000000000 bytes, some adapter allows 1073741824/,
    );
  });

  it('for an array of JavaScript is told the same way', async () => {
    const large = new Sequential({
      inputShape: [1e6],
      layers: [new layers.Dense({ units: 1e9, name: 'wide', kernelInitializer: 'zeros' })],
    });
    await expect(large.weights[0]?.read()).rejects.toMatchObject({
      code: 'memory/exhausted',
      message: expect.stringContaining('4000000000000000 bytes') as string,
    });
    expect(large.countParams()).toBe(1e15 + 1e9);
  });
});
