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
  MaxPooling2D,
  ReLU,
  Rescaling,
  Reshape,
  Softmax,
  ZeroPadding2D,
  regularizerConfig,
  type Regularizer,
} from '@convbase/layers';
import { z } from 'zod';
import { augmentationTable } from './augmentation-table.ts';
import { initializerConfig } from './initializers.ts';
import { kerasObject, type KerasObject } from './keras-object.ts';
import { entry, type LayerEntry } from './layer-entry.ts';
import {
  activation,
  axis,
  channelsLast,
  count,
  initializer,
  pair,
  padding,
  rate,
  regularizer,
  zeroPadding,
} from './options.ts';

const weights = {
  activation: activation.exactOptional(),
  use_bias: z.boolean().exactOptional(),
  kernel_initializer: initializer.exactOptional(),
  bias_initializer: initializer.exactOptional(),
  kernel_regularizer: regularizer.exactOptional(),
  bias_regularizer: regularizer.exactOptional(),
};

const pooling = { pool_size: pair, strides: pair.exactOptional(), padding, data_format: channelsLast };
const poolingConfig = ({ options }: AveragePooling2D | MaxPooling2D): Record<string, unknown> => ({
  pool_size: options.pool,
  padding: options.padding,
  strides: options.strides,
  data_format: 'channels_last',
});

const globalPooling = { keepdims: z.boolean().exactOptional(), data_format: channelsLast };
const globalPoolingConfig = ({
  keepdims,
}: GlobalAveragePooling2D | GlobalMaxPooling2D): Record<string, unknown> => ({
  data_format: 'channels_last',
  keepdims,
});

const regularizerObject = (regularizer: Regularizer | null): KerasObject | null =>
  regularizer === null
    ? null
    : kerasObject('keras.regularizers', regularizer.className, regularizerConfig(regularizer));

const weightsConfig = (layer: Conv2D | Dense): Record<string, unknown> => ({
  activation: layer.activation,
  use_bias: layer.useBias,
  kernel_initializer: initializerConfig(layer.kernelInitializer, 'GlorotUniform'),
  bias_initializer: initializerConfig(layer.biasInitializer, 'Zeros'),
  kernel_regularizer: regularizerObject(layer.kernelRegularizer),
  bias_regularizer: regularizerObject(layer.biasRegularizer),
  activity_regularizer: null,
  kernel_constraint: null,
  bias_constraint: null,
});

/**
 * Every layer class that a config may name, with the options it may have, spelled as Keras does. An option that is
 * not listed is refused unless it is switched off; where only one value is known, the schema is that value.
 */
export const layerTable: Readonly<Record<string, LayerEntry>> = {
  ...augmentationTable,
  Activation: entry(
    { activation },
    (config) => new Activation(config),
    (layer) => ({ activation: layer.activation }),
  ),
  Add: entry(
    {},
    (config) => new Add(config),
    () => ({}),
  ),
  AveragePooling2D: entry(pooling, (config) => new AveragePooling2D(config), poolingConfig),
  BatchNormalization: entry(
    {
      axis: axis.exactOptional(),
      momentum: z.number().min(0).max(1).exactOptional(),
      epsilon: z.number().positive().exactOptional(),
      center: z.boolean().exactOptional(),
      scale: z.boolean().exactOptional(),
      beta_initializer: initializer.exactOptional(),
      gamma_initializer: initializer.exactOptional(),
      moving_mean_initializer: initializer.exactOptional(),
      moving_variance_initializer: initializer.exactOptional(),
      // Means something only with `renorm`, which is refused.
      renorm_momentum: z.number().exactOptional(),
    },
    (config) => new BatchNormalization(config),
    ({ axis, momentum, epsilon, center, scale }) => ({
      axis,
      momentum,
      epsilon,
      center,
      scale,
      beta_initializer: kerasObject('keras.initializers', 'Zeros', {}),
      gamma_initializer: kerasObject('keras.initializers', 'Ones', {}),
      moving_mean_initializer: kerasObject('keras.initializers', 'Zeros', {}),
      moving_variance_initializer: kerasObject('keras.initializers', 'Ones', {}),
      beta_regularizer: null,
      gamma_regularizer: null,
      beta_constraint: null,
      gamma_constraint: null,
      synchronized: false,
    }),
  ),
  Concatenate: entry(
    { axis: axis.exactOptional() },
    (config) => new Concatenate(config),
    (layer) => ({ axis: layer.axis }),
  ),
  Conv2D: entry(
    {
      filters: count,
      kernel_size: pair,
      strides: pair.exactOptional(),
      padding,
      dilation_rate: pair.exactOptional(),
      groups: z.literal(1).exactOptional(),
      data_format: channelsLast,
      ...weights,
    },
    (config) => new Conv2D(config),
    (layer) => ({
      filters: layer.filters,
      kernel_size: layer.kernelSize,
      strides: layer.options.strides,
      padding: layer.options.padding,
      data_format: 'channels_last',
      dilation_rate: layer.options.dilations,
      groups: 1,
      ...weightsConfig(layer),
    }),
  ),
  Dense: entry(
    { units: count, ...weights },
    (config) => new Dense(config),
    (layer) => ({ units: layer.units, ...weightsConfig(layer) }),
  ),
  Dropout: entry(
    { rate, seed: z.int().exactOptional() },
    (config) => new Dropout(config),
    (layer) => ({ rate: layer.rate, seed: layer.ownSeed ?? null, noise_shape: null }),
  ),
  Flatten: entry(
    { data_format: channelsLast },
    (config) => new Flatten(config),
    () => ({ data_format: 'channels_last' }),
  ),
  GlobalAveragePooling2D: entry(
    globalPooling,
    (config) => new GlobalAveragePooling2D(config),
    globalPoolingConfig,
  ),
  GlobalMaxPooling2D: entry(globalPooling, (config) => new GlobalMaxPooling2D(config), globalPoolingConfig),
  MaxPooling2D: entry(pooling, (config) => new MaxPooling2D(config), poolingConfig),
  ReLU: entry(
    { negative_slope: z.literal(0).exactOptional(), threshold: z.literal(0).exactOptional() },
    (config) => new ReLU(config),
    () => ({ max_value: null, negative_slope: 0, threshold: 0 }),
  ),
  Rescaling: entry(
    { scale: z.number(), offset: z.number().exactOptional() },
    (config) => new Rescaling(config),
    ({ scale, offset }) => ({ scale, offset }),
  ),
  Reshape: entry(
    { target_shape: z.array(z.int().min(-1)).max(8) },
    (config) => new Reshape(config),
    (layer) => ({ target_shape: layer.targetShape }),
  ),
  Softmax: entry(
    { axis: axis.exactOptional() },
    (config) => new Softmax(config),
    (layer) => ({ axis: layer.axis }),
  ),
  ZeroPadding2D: entry(
    { padding: zeroPadding, data_format: channelsLast },
    (config) => new ZeroPadding2D(config),
    ({ margins: { top, bottom, left, right } }) => ({
      padding: [
        [top, bottom],
        [left, right],
      ],
      data_format: 'channels_last',
    }),
  ),
};
