import { ConvbaseError } from '@convbase/base';
import { z } from 'zod';
import type { KerasLayerConfig } from '../formats/keras-config.ts';

/** One output of one call of a layer: the third of `keras_history` counts the outputs of that call. */
export interface TensorReference {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** Of one call. */
const MAX_INPUTS = 10_000;

const index = z.int().nonnegative().max(100_000);

const historySchema = z
  .tuple([z.string(), index, index])
  .transform(([layer, node, tensor]): TensorReference => ({ layer, node, tensor }));

/** Nothing but null may stand among the keyword arguments (`mask: null`): others change what a call does. */
const noArguments = z.record(z.string(), z.null());

/** In Keras 3 a recorded `training` (Dropout has one) means nothing: fit and predict replace it by their own. */
const modernArguments = z.looseObject({ training: z.boolean().nullish() }).catchall(z.null());

/** Keras 3: `{ class_name: '__keras_tensor__', config: { keras_history: ['conv', 0, 0] } }`. */
export const kerasTensor = z
  .looseObject({
    class_name: z.literal('__keras_tensor__'),
    config: z.looseObject({ keras_history: historySchema }),
  })
  .transform((value) => value.config.keras_history);

/** Keras 3: `{ args: [tensor] }`, or `{ args: [[tensor, ..]] }` for layers that merge. */
const modernCall = z
  .looseObject({
    args: z.tuple([
      z.union([kerasTensor.transform((one) => [one]), z.array(kerasTensor).min(1).max(MAX_INPUTS)]),
    ]),
    kwargs: modernArguments.optional(),
  })
  .transform(({ args: [inputs] }) => inputs);

/** Keras 2: `['conv', 0, 0, {}]`. */
const legacyTensor = z
  .union([z.tuple([z.string(), index, index]), z.tuple([z.string(), index, index, noArguments])])
  .transform(([layer, node, tensor]): TensorReference => ({ layer, node, tensor }));

/** Keras 2: a list of those, or one alone. */
const legacyCall = z.union([
  legacyTensor.transform((one) => [one]),
  z.array(legacyTensor).min(1).max(MAX_INPUTS),
]);

const callsSchema = z.array(z.union([modernCall, legacyCall])).max(10_000);

/** The inputs of every call of a layer, in the order of the calls. @throws ConvbaseError `graph/inbound-nodes` */
export function inboundCalls(
  layer: KerasLayerConfig,
  where: string,
): readonly (readonly TensorReference[])[] {
  const parsed = callsSchema.safeParse(layer.inbound_nodes ?? []);
  if (parsed.success) return parsed.data;
  throw new ConvbaseError('graph/inbound-nodes', 'its calls are in no form that convbase can follow', {
    where,
    fix: 'Layers that are called with tensors alone, as Keras 2 and 3 write them, can be followed; calls with further arguments (training=.., mask=..) cannot.',
    cause: parsed.error,
  });
}

const endsSchema = z.union([
  historySchema.transform((one) => [one]),
  z.array(historySchema).min(1).max(10_000),
]);

/** `input_layers` or `output_layers` of a functional model: one tensor or a list. @throws ConvbaseError `graph/ends` */
export function modelEnds(
  config: Readonly<Record<string, unknown>>,
  key: string,
  where: string,
): readonly TensorReference[] {
  const parsed = endsSchema.safeParse(config[key]);
  if (parsed.success) return parsed.data;
  throw new ConvbaseError('graph/ends', `its ${key} are not a list of tensors`, {
    where,
    fix: 'Only models with one input or output, or a list of them, can be rebuilt.',
    cause: parsed.error,
  });
}
