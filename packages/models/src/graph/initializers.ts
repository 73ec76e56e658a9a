import { ConvbaseError } from '@convbase/base';
import { initializers, toCamelCase, type Initializer } from '@convbase/layers';
import { z } from 'zod';
import { kerasObject, type KerasObject } from './keras-object.ts';

const number = z.number().exactOptional();

const optionsSchema = z.object({
  value: number,
  minval: number,
  maxval: number,
  mean: number,
  stddev: number,
  scale: number,
  seed: number,
  mode: z.enum(['fan_in', 'fan_out', 'fan_avg']).transform(fanMode).exactOptional(),
  distribution: z
    .enum(['uniform', 'truncated_normal', 'untruncated_normal', 'normal'])
    .transform((name) => distributions[name])
    .exactOptional(),
});

const distributions = {
  uniform: 'uniform',
  truncated_normal: 'truncatedNormal',
  normal: 'truncatedNormal',
  untruncated_normal: 'untruncatedNormal',
} as const;

function fanMode(mode: 'fan_in' | 'fan_out' | 'fan_avg'): 'fanIn' | 'fanOut' | 'fanAvg' {
  return mode === 'fan_in' ? 'fanIn' : mode === 'fan_out' ? 'fanOut' : 'fanAvg';
}

type Options = z.infer<typeof optionsSchema>;

const known: Readonly<Record<string, (options: Options) => Initializer>> = {
  zeros: initializers.zeros,
  ones: initializers.ones,
  constant: ({ value = 0 }) => initializers.constant(value),
  randomUniform: initializers.randomUniform,
  randomNormal: initializers.randomNormal,
  truncatedNormal: initializers.truncatedNormal,
  varianceScaling: initializers.varianceScaling,
  glorotUniform: initializers.glorotUniform,
  glorotNormal: initializers.glorotNormal,
  heUniform: initializers.heUniform,
  heNormal: initializers.heNormal,
  lecunUniform: initializers.lecunUniform,
  lecunNormal: initializers.lecunNormal,
};

/**
 * The initializer that a Keras config names. One that convbase does not have is an error only once its values are
 * asked for: stored weights, the usual companion of a config, replace them.
 */
export function initializerFromConfig(
  className: string,
  config: Readonly<Record<string, unknown>>,
): Initializer {
  const name = toCamelCase(className);
  const make = Object.hasOwn(known, name) ? known[name] : undefined;
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null));
  const options = optionsSchema.safeParse(given);
  if (make !== undefined && options.success) return make(options.data);
  return initializers.described(className, config, () => {
    throw new ConvbaseError(
      'initializer/unknown',
      `convbase cannot draw weights with ${className} ${JSON.stringify(config)}`,
      {
        fix: 'Load weights into the model before using it.',
      },
    );
  });
}

/** How Keras 3 writes an initializer down; a function of one's own, which only starting values know, as `fallback`. */
export function initializerConfig({ keras }: Initializer, fallback: string): KerasObject {
  return kerasObject('keras.initializers', keras?.className ?? fallback, keras?.config ?? {});
}
