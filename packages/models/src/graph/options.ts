import { regularizerFrom, type Initializer, type Regularizer } from '@convbase/layers';
import { z } from 'zod';
import { initializerFromConfig } from './initializers.ts';

/** Larger than any layer of a real network; keeps products of a few of them exact. */
const MAX_SIZE = 1 << 24;

/** A number of units, filters or pixels. */
export const count = z.int().positive().max(MAX_SIZE);

/** Height and width; one number stands for both. */
export const pair = z.union([
  count.transform((size): [number, number] => [size, size]),
  z.tuple([count, count]),
  z.tuple([count]).transform(([size]): [number, number] => [size, size]),
]);

/** Keras takes `SAME` and `same` alike. */
export const padding = z
  .string()
  .transform((name) => name.toLowerCase())
  .pipe(z.enum(['same', 'valid']))
  .default('valid');

/** An axis, also as the list of one that Keras 2 wrote. */
export const axis = z.union([z.int(), z.tuple([z.int()]).transform(([only]) => only)]);

export const rate = z.number().min(0).lt(1);

/** The layout of everything here; `channels_first` is refused. */
export const channelsLast = z.literal('channels_last').exactOptional();

const activationName = z.enum(['linear', 'relu', 'sigmoid', 'tanh', 'softmax']);

/** A name, or the object `{ class_name: 'function', config: name }` that Keras 3 writes where a function was given. */
export const activation = z.union([
  activationName,
  z
    .looseObject({ class_name: z.literal('function'), config: activationName })
    .transform(({ config }) => config),
]);

const edges = z.int().min(0).max(MAX_SIZE);

/** [[top, bottom], [left, right]], or [height, width] or one number for both sides alike. */
export const zeroPadding = z.union([
  z.tuple([z.tuple([edges, edges]), z.tuple([edges, edges])]),
  z.tuple([edges, edges]),
  edges,
]);

/** How weights start where no file gives them; see `initializers.ts`. */
export const initializer = z
  .union([
    z.string().transform((className) => ({ class_name: className, config: {} })),
    z.looseObject({ class_name: z.string(), config: z.looseObject({}).default({}) }),
  ])
  .transform(({ class_name: className, config }): Initializer => initializerFromConfig(className, config));

/** A penalty on a weight: a name, or the object `{ class_name: 'L2', config: { l2: 0.01 } }`. */
export const regularizer = z
  .union([z.string(), z.looseObject({ class_name: z.string() })])
  .transform((value, context): Regularizer | null => {
    try {
      return regularizerFrom(value);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });
