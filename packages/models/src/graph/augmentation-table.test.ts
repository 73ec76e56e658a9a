import { describe, expect, it } from 'vitest';
import { layerTable } from './layer-table.ts';
import { readLayer } from './read-layer.ts';

const moving = { fill_mode: 'reflect', fill_value: 0, interpolation: 'bilinear', seed: null };

/** What Keras 3.15 writes into a config for layers made with these arguments. */
const configs: [className: string, config: Record<string, unknown>][] = [
  ['RandomFlip', { seed: 7, mode: 'horizontal' }],
  ['RandomRotation', { factor: [-0.1, 0.1], ...moving }],
  ['RandomZoom', { height_factor: 0.2, width_factor: null, ...moving }],
  ['RandomZoom', { height_factor: 0.2, width_factor: [-0.3, 0.1], ...moving, fill_mode: 'wrap' }],
  ['RandomTranslation', { height_factor: 0.1, width_factor: [0.1, 0.2], ...moving, fill_value: 3 }],
  ['RandomContrast', { factor: [0, 0.2], value_range: [0, 255], seed: null }],
  ['RandomBrightness', { factor: [-0.2, 0.2], value_range: [0, 1], seed: null }],
  [
    'Resizing',
    {
      height: 10,
      width: 12,
      interpolation: 'nearest',
      crop_to_aspect_ratio: true,
      pad_to_aspect_ratio: false,
      fill_mode: 'constant',
      fill_value: 0,
      antialias: false,
    },
  ],
  ['CenterCrop', { height: 3, width: 4 }],
];

describe('augmentation layers in configs', () => {
  it.each(configs)('%s %o goes both ways', (className, own) => {
    const config = { name: 'it', trainable: true, dtype: 'float32', data_format: 'channels_last', ...own };
    const layer = readLayer({ class_name: className, config }, 'model');
    expect(layer.className).toBe(className);
    expect(layerTable[className]?.config(layer)).toEqual({ ...own, data_format: 'channels_last' });
  });

  it('understands what Keras 2 wrote', () => {
    const config = { name: 'flip', trainable: true, dtype: 'float32', seed: null, mode: 'horizontal' };
    expect(readLayer({ class_name: 'RandomFlip', config }, 'model')).toMatchObject({ mode: 'horizontal' });
  });

  it.each([
    ['Resizing', { height: 4, width: 4, interpolation: 'bicubic' }, /interpolation = "bicubic"/],
    ['Resizing', { height: 4, width: 4, antialias: true }, /antialias = true/],
    ['RandomRotation', { factor: 0.1, fill_mode: 'mirror' }, /fill_mode = "mirror"/],
    ['RandomRotation', { factor: 1.5 }, /a factor of 1.5/],
    ['RandomZoom', { height_factor: -1 }, /a factor of -1/],
    ['RandomFlip', { data_format: 'channels_first' }, /data_format/],
  ])('%s refuses %o', (className, own, message) => {
    expect(() => readLayer({ class_name: className, config: { name: 'it', ...own } }, 'model')).toThrow(
      message,
    );
  });
});
