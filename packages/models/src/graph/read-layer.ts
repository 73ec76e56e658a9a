import { ConvbaseError } from '@convbase/base';
import type { Layer } from '@convbase/layers';
import { z } from 'zod';
import type { KerasLayerConfig } from '../formats/keras-config.ts';
import { layerTable } from './layer-table.ts';

/** Keys of every layer's config that are read elsewhere, and those of a Sequential's first layer. */
const commonKeys = new Set(['name', 'trainable', 'dtype', 'batch_shape', 'batch_input_shape', 'input_dtype']);

const commonSchema = z.looseObject({
  name: z.string().min(1).max(1000),
  trainable: z.boolean().nullish(),
  dtype: z
    .union([
      z.string(),
      z.looseObject({ config: z.looseObject({ name: z.string() }) }).transform((it) => it.config.name),
    ])
    .nullish(),
});

/**
 * Makes the layer that a Keras config describes.
 * @throws ConvbaseError `graph/layer` for a class and `graph/option` for an option that convbase does not have
 */
export function readLayer({ class_name: className, config }: KerasLayerConfig, model: string): Layer {
  const where = `${model}, layer ${config.name ?? className}`;
  const known = Object.hasOwn(layerTable, className) ? layerTable[className] : undefined;
  if (known === undefined) {
    throw new ConvbaseError('graph/layer', `convbase has no layer ${className}`, {
      where,
      fix: `It has ${['InputLayer', ...Object.keys(layerTable)].sort().join(', ')}.`,
    });
  }
  const common = parse(commonSchema, config, where, className);
  if ((common.dtype ?? 'float32') !== 'float32') {
    throw new ConvbaseError(
      'graph/option',
      `computes in ${String(common.dtype)}; convbase computes in float32`,
      {
        where,
        fix: 'Save the model with the float32 policy.',
      },
    );
  }
  const own = Object.fromEntries(
    Object.entries(config).filter(([key, value]) => value !== null && !commonKeys.has(key)),
  );
  const options = parse(known.options, own, where, className);
  for (const [key, value] of Object.entries(own)) {
    if (Object.hasOwn(known.options.shape, key) || value === false) continue;
    throw new ConvbaseError(
      'graph/option',
      `${className} has the option ${key}, which convbase does not know`,
      {
        where,
        fix: `It knows ${Object.keys(known.options.shape).join(', ') || 'none'}. Remove it from the config if it does not matter.`,
      },
    );
  }
  const camelCased = Object.entries(options).map(([key, value]) => [camelCase(key), value] as const);
  return known.make({
    ...Object.fromEntries(camelCased.filter(([, value]) => value !== undefined)),
    name: common.name,
    trainable: common.trainable ?? true,
  });
}

const camelCase = (key: string): string => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

function parse<T>(
  schema: z.ZodType<T>,
  config: Readonly<Record<string, unknown>>,
  where: string,
  className: string,
): T {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues[0];
  const key = problem?.path[0];
  const given = typeof key === 'string' ? config[key] : undefined;
  throw new ConvbaseError(
    'graph/option',
    `${className} with ${String(key)} = ${shorten(given)} is not supported (${problem?.message ?? 'invalid'})`,
    {
      where,
      fix: 'Only what Keras accepts, and of that only channels_last and one group, can be built.',
      cause: parsed.error,
    },
  );
}

function shorten(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}..` : text;
}
