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
  type Layer,
} from '@convbase/layers';
import { z } from 'zod';
import {
  activation,
  axis,
  channelsLast,
  count,
  initializer,
  pair,
  padding,
  rate,
  zeroPadding,
} from './options.ts';

/** `kernel_size` as `kernelSize`. */
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;
type CamelKeys<T> = { [K in keyof T as K extends string ? Camel<K> : never]: T[K] };

interface Named {
  readonly name: string;
  readonly trainable: boolean;
}

/** A layer class: which options of its Keras config mean something here, and how to make it. */
export interface LayerEntry {
  readonly options: z.ZodObject;
  /** `config` has passed `options`; its keys are camelCase, and `name` and `trainable` are among them. */
  make(config: Record<string, unknown>): Layer;
}

function entry<S extends z.ZodRawShape>(
  shape: S,
  make: (config: CamelKeys<z.output<z.ZodObject<S>>> & Named) => Layer,
): LayerEntry {
  // The cast holds because `readLayer` builds the config from exactly this schema's output.
  return {
    options: z.object(shape),
    make: (config) => make(config as CamelKeys<z.output<z.ZodObject<S>>> & Named),
  };
}

const weights = {
  activation: activation.exactOptional(),
  use_bias: z.boolean().exactOptional(),
  kernel_initializer: initializer.exactOptional(),
  bias_initializer: initializer.exactOptional(),
};

const pooling = { pool_size: pair, strides: pair.exactOptional(), padding, data_format: channelsLast };
const globalPooling = { keepdims: z.boolean().exactOptional(), data_format: channelsLast };

/**
 * Every layer class that a config may name, with the options it may have, spelled as Keras does. An option that is
 * not listed is refused unless it is switched off; where only one value is known, the schema is that value.
 */
export const layerTable: Readonly<Record<string, LayerEntry>> = {
  Activation: entry({ activation }, (config) => new Activation(config)),
  Add: entry({}, (config) => new Add(config)),
  AveragePooling2D: entry(pooling, (config) => new AveragePooling2D(config)),
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
  ),
  Concatenate: entry({ axis: axis.exactOptional() }, (config) => new Concatenate(config)),
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
  ),
  Dense: entry({ units: count, ...weights }, (config) => new Dense(config)),
  Dropout: entry({ rate, seed: z.int().exactOptional() }, (config) => new Dropout(config)),
  Flatten: entry({ data_format: channelsLast }, (config) => new Flatten(config)),
  GlobalAveragePooling2D: entry(globalPooling, (config) => new GlobalAveragePooling2D(config)),
  GlobalMaxPooling2D: entry(globalPooling, (config) => new GlobalMaxPooling2D(config)),
  MaxPooling2D: entry(pooling, (config) => new MaxPooling2D(config)),
  ReLU: entry(
    { negative_slope: z.literal(0).exactOptional(), threshold: z.literal(0).exactOptional() },
    (config) => new ReLU(config),
  ),
  Rescaling: entry(
    { scale: z.number(), offset: z.number().exactOptional() },
    (config) => new Rescaling(config),
  ),
  Reshape: entry({ target_shape: z.array(z.int().min(-1)).max(8) }, (config) => new Reshape(config)),
  Softmax: entry({ axis: axis.exactOptional() }, (config) => new Softmax(config)),
  ZeroPadding2D: entry(
    { padding: zeroPadding, data_format: channelsLast },
    (config) => new ZeroPadding2D(config),
  ),
};
