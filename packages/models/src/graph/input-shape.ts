import { ConvbaseError } from '@convbase/base';
import type { Dimension } from '@convbase/layers';
import { z } from 'zod';
import type { KerasLayerConfig } from '../formats/index.ts';

/** A batch of anything; what remains is the shape of one sample. */
export const shapeSchema = z
  .tuple([
    z.null(),
    z
      .int()
      .positive()
      .max(1 << 24)
      .nullable(),
  ])
  .rest(
    z
      .int()
      .positive()
      .max(1 << 24)
      .nullable(),
  )
  .transform(([, ...shape]): readonly Dimension[] => shape);

/** The shape of one sample: `batch_shape` in Keras 3, `batch_input_shape` in Keras 2, there also on a first layer. */
export function inputShape({ config }: KerasLayerConfig, model: string): readonly Dimension[] | undefined {
  const value = config['batch_shape'] ?? config['batch_input_shape'];
  if (value === undefined || value === null) return undefined;
  const parsed = shapeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConvbaseError(
    'graph/input',
    `${JSON.stringify(value).slice(0, 100)} is not the shape of an input`,
    {
      where: `${model}, layer ${config.name ?? 'InputLayer'}`,
      fix: 'A shape starts with null for the batch and has at least one more dimension.',
    },
  );
}
