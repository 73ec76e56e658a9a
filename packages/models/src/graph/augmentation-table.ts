import {
  CenterCrop,
  RandomBrightness,
  RandomContrast,
  RandomFlip,
  RandomRotation,
  RandomTranslation,
  RandomZoom,
  Resizing,
} from '@convbase/layers';
import { z } from 'zod';
import { entry, type LayerEntry } from './layer-entry.ts';
import { channelsLast, count } from './options.ts';

const two = z.tuple([z.number(), z.number()]);
const factor = z.union([z.number(), two]);
const interpolation = z.enum(['bilinear', 'nearest']);
const common = { seed: z.int().exactOptional(), data_format: channelsLast };
const size = { height: count, width: count, data_format: channelsLast };

const moving = {
  fill_mode: z.enum(['reflect', 'wrap', 'constant', 'nearest']).exactOptional(),
  interpolation: interpolation.exactOptional(),
  fill_value: z.number().exactOptional(),
  ...common,
};

const movingConfig = (layer: RandomRotation | RandomZoom | RandomTranslation): Record<string, unknown> => ({
  fill_mode: layer.fillMode,
  fill_value: layer.fillValue,
  interpolation: layer.interpolation,
  ...commonConfig(layer),
});

const commonConfig = (layer: { readonly ownSeed: number | undefined }): Record<string, unknown> => ({
  seed: layer.ownSeed ?? null,
  data_format: 'channels_last',
});

const colour = { factor, value_range: two.exactOptional(), ...common };
const colourConfig = (layer: RandomContrast | RandomBrightness): Record<string, unknown> => ({
  factor: layer.factor,
  value_range: layer.valueRange,
  ...commonConfig(layer),
});

/** The layers that change pictures, at random in training or always; as rows of the layer table. */
export const augmentationTable: Readonly<Record<string, LayerEntry>> = {
  CenterCrop: entry(
    size,
    (config) => new CenterCrop(config),
    ({ height, width }) => ({ height, width, data_format: 'channels_last' }),
  ),
  RandomBrightness: entry(colour, (config) => new RandomBrightness(config), colourConfig),
  RandomContrast: entry(colour, (config) => new RandomContrast(config), colourConfig),
  RandomFlip: entry(
    { mode: z.enum(['horizontal', 'vertical', 'horizontal_and_vertical']).exactOptional(), ...common },
    (config) => new RandomFlip(config),
    (layer) => ({ mode: layer.mode, ...commonConfig(layer) }),
  ),
  RandomRotation: entry(
    { factor, ...moving },
    (config) => new RandomRotation(config),
    (layer) => ({ factor: layer.factor, ...movingConfig(layer) }),
  ),
  RandomTranslation: entry(
    { height_factor: factor, width_factor: factor, ...moving },
    (config) => new RandomTranslation(config),
    (layer) => ({
      height_factor: layer.heightFactor,
      width_factor: layer.widthFactor,
      ...movingConfig(layer),
    }),
  ),
  RandomZoom: entry(
    { height_factor: factor, width_factor: factor.exactOptional(), ...moving },
    (config) => new RandomZoom(config),
    (layer) => ({
      height_factor: layer.heightFactor,
      width_factor: layer.widthFactor ?? null,
      ...movingConfig(layer),
    }),
  ),
  Resizing: entry(
    {
      interpolation: interpolation.exactOptional(),
      crop_to_aspect_ratio: z.boolean().exactOptional(),
      pad_to_aspect_ratio: z.boolean().exactOptional(),
      // Means something only with `pad_to_aspect_ratio`, and nothing else is known.
      fill_mode: z.literal('constant').exactOptional(),
      fill_value: z.number().exactOptional(),
      antialias: z.literal(false).exactOptional(),
      ...size,
    },
    (config) => new Resizing(config),
    (layer) => ({
      height: layer.height,
      width: layer.width,
      interpolation: layer.interpolation,
      crop_to_aspect_ratio: layer.cropToAspectRatio,
      pad_to_aspect_ratio: layer.padToAspectRatio,
      fill_mode: 'constant',
      fill_value: layer.fillValue,
      antialias: false,
      data_format: 'channels_last',
    }),
  ),
};
