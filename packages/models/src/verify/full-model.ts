import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import {
  Dense,
  Dropout,
  Flatten,
  GlobalAveragePooling2D,
  Model,
  optimizerFromConfig,
  type HostArray,
  type Layer,
  type Precision,
  type PreprocessMode,
} from '@convbase/layers';
import { z } from 'zod';
import { hashWeights } from '../hash/index.ts';
import { parseParameters, type GoldenFile, type GoldenTensor, type ModelCase } from './golden-file.ts';
import { storageRounding, type ComputedTensor } from './judge.ts';
import { floats, freezeBelow, movement, trainSteps } from './training-run.ts';

const commonSchema = z.looseObject({
  model: z.string(),
  weights: z.enum(['hash', 'file']),
  preprocess: z.enum(['caffe', 'tf', 'rescale', 'none']),
  input_shape: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
  include_top: z.boolean().optional(),
});

const featuresSchema = commonSchema.extend({ layers: z.array(z.string()).min(1).max(1000) });

const name = z.string().min(1);
const units = z
  .int()
  .positive()
  .max(1 << 16);

/** The layers put on a base: `['dense', 256, 'relu', 'head_dense']`. */
const headLayer = z.union([
  z.tuple([z.literal('flatten')]).transform(() => (): Layer => new Flatten({ name: 'flatten_head' })),
  z
    .tuple([z.literal('global_average_pooling2d')])
    .transform(() => (): Layer => new GlobalAveragePooling2D({ name: 'pool_head' })),
  z.tuple([z.literal('dense'), units, z.string(), name]).transform(
    ([, count, activation, layer]) =>
      (): Layer =>
        new Dense({ units: count, activation, name: layer }),
  ),
  z
    .tuple([z.literal('dropout'), z.literal(0)])
    .transform(() => (): Layer => new Dropout({ rate: 0, name: 'dropout_head' })),
]);

const finetuneSchema = commonSchema.extend({
  head: z.array(headLayer).min(1).max(100),
  loss: z.string(),
  optimizer_class: z.string(),
  learning_rate: z.number(),
  first_trainable_layer: z.string().nullish(),
  losses: z.array(z.number()).min(1).max(1000),
});

/** Makes a model without weights of its own choice: by name, and from a file where the case wants one. */
export type MakeBase = (
  model: string,
  options: {
    readonly includeTop: boolean;
    readonly inputShape: readonly [number, number, number];
    readonly fromFile: boolean;
  },
) => Promise<Model>;

/** On what and how full models are computed. */
export interface ModelContext {
  readonly gpu: Gpu;
  readonly precision: Precision;
  /** A full model by name. */
  readonly makeBase: MakeBase;
}

/** What the models of Keras have on top, for cases that ask for these layers and say nothing of a top. */
const topLayers = new Set(['flatten', 'fc1', 'fc2', 'avg_pool', 'predictions']);

async function makeModel(
  parameters: z.infer<typeof commonSchema>,
  make: MakeBase,
  layers: readonly string[] = [],
): Promise<Model> {
  const fromFile = parameters.weights === 'file';
  const { model: name, input_shape: inputShape } = parameters;
  const includeTop = parameters.include_top ?? layers.some((layer) => topLayers.has(layer));
  const model = await make(name, { includeTop, inputShape, fromFile });
  if (!fromFile) assignHashWeights(model);
  return model;
}

/** Gives every kernel and bias that has no values yet its hash weights; others have none and stay at their start. */
function assignHashWeights(model: Model): void {
  for (const weight of model.weights) {
    if (weight.assigned || !/\/(kernel|bias)$/.test(weight.path)) continue;
    weight.assign(hashWeights(weight.path, weight.shape));
  }
}

/** The pictures of a file as the model takes them. */
function pictures(file: GoldenFile, preprocess: PreprocessMode): HostArray {
  const entry = file.tensors.get('images');
  if (entry?.dtype !== 'uint8' || entry.shape.length !== 4) {
    throw new ConvbaseError('verify/format', 'its images are not uint8 of four dimensions', {
      where: file.name,
    });
  }
  return { data: entry.bytes(), shape: entry.shape, preprocess };
}

/**
 * The features of a full model for the file's pictures, one picture at a time so that memory stays small.
 *
 * @returns `feature.<layer>` for each layer, of as many pictures as the file has it for
 */
export async function computeFeatures(
  { gpu, precision, makeBase: make }: ModelContext,
  file: GoldenFile,
  modelCase: ModelCase,
): Promise<Map<string, ComputedTensor>> {
  const parameters = parseParameters(featuresSchema, modelCase, file.name);
  const images = pictures(file, parameters.preprocess);
  const model = await makeModel(parameters, make, parameters.layers);
  const extractor = new Model({
    inputs: model.inputs,
    outputs: parameters.layers.map((layer) => model.getLayer(layer).output),
    name: model.name,
  }).to(gpu);
  extractor.precision = precision;
  try {
    const features = new Map<string, { shape: readonly number[]; data: Float32Array }>();
    for (let i = 0; i < (images.shape[0] ?? 0); i++) {
      const arrays = await extractor.predictOnBatch(pictureAt(images, i));
      parameters.layers.forEach((layer, k) => {
        const { data, shape } = arrays[k] ?? { data: new Float32Array(), shape: [0] };
        const wanted = file.tensors.get(`feature.${layer}`)?.shape[0] ?? 1;
        if (i >= wanted) return;
        const feature = features.get(layer) ?? {
          shape: [wanted, ...shape.slice(1)],
          data: new Float32Array(wanted * data.length),
        };
        feature.data.set(data, i * data.length);
        features.set(layer, feature);
      });
    }
    return new Map([...features].map(([layer, feature]) => [`feature.${layer}`, feature]));
  } finally {
    model.dispose();
  }
}

function pictureAt({ data, shape, preprocess }: HostArray, i: number): HostArray {
  const size = data.length / (shape[0] ?? 1);
  return {
    data: data.subarray(i * size, (i + 1) * size),
    shape: [1, ...shape.slice(1)],
    ...(preprocess === undefined ? {} : { preprocess }),
  };
}

/**
 * Fine-tunes a full model: the base frozen below a layer, a head on top, a few steps on one batch.
 *
 * @returns `losses`, `predictions_before`, `predictions_after` and `delta_sample.<path>` of every trainable weight:
 * how far it moved, in at most 4096 places at a stride of `max(1, floor(size / 4096))`
 */
export async function computeFinetuning(
  { gpu, precision, makeBase: make }: ModelContext,
  file: GoldenFile,
  modelCase: ModelCase,
  labels: GoldenTensor,
): Promise<Map<string, ComputedTensor>> {
  const parameters = parseParameters(finetuneSchema, modelCase, file.name);
  const x = pictures(file, parameters.preprocess);
  const base = await makeModel(parameters, make);
  const output = parameters.head.reduce((tensor, makeLayer) => makeLayer().apply(tensor), base.output);
  const model = new Model({ inputs: base.inputs, outputs: [output], name: `${base.name} with head` }).to(gpu);
  model.precision = precision;
  try {
    assignHashWeights(model);
    freezeBelow(base, parameters.first_trainable_layer);
    const optimizer = optimizerFromConfig(parameters.optimizer_class, {
      learning_rate: parameters.learning_rate,
    });
    model.compile({ optimizer, loss: parameters.loss });
    const before = new Map<string, Float32Array>();
    for (const weight of model.trainableWeights) before.set(weight.path, sample(await weight.read()));
    const computed = new Map<string, ComputedTensor>();
    computed.set('predictions_before', floats(await model.predict(x)));
    const losses = await trainSteps(model, { x, y: labels }, parameters.losses.length);
    computed.set('losses', { shape: [losses.length], data: losses });
    computed.set('predictions_after', floats(await model.predict(x)));
    for (const weight of model.trainableWeights) {
      const after = sample(await weight.read());
      const data = movement(after, before.get(weight.path) ?? after);
      const rounding = storageRounding(after, losses.length);
      computed.set(`delta_sample.${weight.path}`, { shape: [data.length], data, rounding });
    }
    return computed;
  } finally {
    model.dispose();
  }
}

const SAMPLE_SIZE = 4096;

function sample(values: Float32Array): Float32Array {
  const stride = Math.max(1, Math.floor(values.length / SAMPLE_SIZE));
  const count = Math.min(SAMPLE_SIZE, Math.ceil(values.length / stride));
  return Float32Array.from({ length: count }, (_, i) => values[i * stride] ?? Number.NaN);
}
