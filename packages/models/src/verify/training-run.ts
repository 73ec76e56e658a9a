import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import {
  Model,
  optimizerFromConfig,
  type Batch,
  type HostArray,
  type Precision,
  type Variable,
} from '@convbase/layers';
import { z } from 'zod';
import { parseParameters, type GoldenCase, type GoldenTensor } from './golden-file.ts';
import type { ComputedTensor } from './judge.ts';

const runSchema = z.looseObject({
  model: z.string(),
  optimizer_class: z.string(),
  learning_rate: z.number(),
  first_trainable_layer: z.string().nullish(),
  loss: z.string(),
  steps: z.int().positive().max(10_000),
});

/** On what and how a model runs. */
export interface RunContext {
  readonly gpu: Gpu;
  readonly precision: Precision;
}

/** A training run of a small model on one batch. */
export type TrainingRun = z.infer<typeof runSchema>;

export function parseTrainingRun(parameters: GoldenCase): TrainingRun {
  return parseParameters(runSchema, parameters, parameters.name);
}

/**
 * Freezes every layer before `first` in the model's order; null freezes none.
 * @throws ConvbaseError `verify/format` if there is no such layer
 */
export function freezeBelow(model: Model, first: string | null | undefined): void {
  if (first === null || first === undefined) return;
  const index = model.layers.findIndex((layer) => layer.name === first);
  if (index < 0)
    throw new ConvbaseError('verify/format', `the model has no layer ${first} to train from`, {
      where: model.name,
    });
  for (const layer of model.layers.slice(0, index)) layer.trainable = false;
}

/** What every weight was: to see afterwards how far it moved. */
async function snapshot(model: Model): Promise<Map<Variable, Float32Array>> {
  const values = new Map<Variable, Float32Array>();
  for (const weight of model.weights) values.set(weight, await weight.read());
  return values;
}

/** The only weight with the longest end of a path: `dense/kernel` for `sequential/dense/kernel`. */
function findWeight(model: Model, path: string): Variable | undefined {
  for (let end = path; end.includes('/'); end = end.slice(end.indexOf('/') + 1)) {
    const [only, ...more] = model.weights.filter((weight) => weight.path === end);
    if (only !== undefined) return more.length === 0 ? only : undefined;
  }
  return undefined;
}

/** Trains a model for some steps on one batch. @returns the loss of each step before its update */
export async function trainSteps(model: Model, batch: Batch, steps: number): Promise<Float32Array> {
  const losses = new Float32Array(steps);
  for (let step = 0; step < steps; step++) {
    losses[step] = (await model.trainOnBatch(batch))['loss'] ?? Number.NaN;
  }
  return losses;
}

/** after - before, in float32 as everything that is stored. */
export function movement(after: Float32Array, before: Float32Array): Float32Array {
  return after.map((value, i) => value - (before[i] ?? 0));
}

/**
 * Runs a training run on a fresh model.
 *
 * @param paths how the file calls the weights: by `<layer>/<name>`, or with the names of the models around it in
 * front, as Keras does within a Sequential
 * @returns `losses`, and for each of these weights `after.<path>` and `moved.<path>`
 */
export async function computeTrainingRun(
  { gpu, precision }: RunContext,
  model: Model,
  run: TrainingRun,
  x: GoldenTensor,
  y: GoldenTensor,
  paths: readonly string[],
): Promise<Map<string, ComputedTensor>> {
  model.to(gpu).precision = precision;
  try {
    freezeBelow(model, run.first_trainable_layer);
    // Options of the optimizer stand beside its class.
    const optimizer = optimizerFromConfig(run.optimizer_class, run);
    model.compile({ optimizer, loss: run.loss });
    const before = await snapshot(model);
    const losses = await trainSteps(model, { x, y }, run.steps);
    const computed = new Map<string, ComputedTensor>([['losses', { shape: [losses.length], data: losses }]]);
    for (const path of paths) {
      const weight = findWeight(model, path);
      if (weight === undefined) continue;
      const { shape } = weight;
      const after = await weight.read();
      computed.set(`after.${path}`, { shape, data: after });
      computed.set(`moved.${path}`, { shape, data: movement(after, before.get(weight) ?? after) });
    }
    return computed;
  } finally {
    model.dispose();
  }
}

/**
 * Runs a model forward.
 *
 * @returns `predictions` as `predict` gives them, and `activation.<layer>` for each of `layers`
 */
export async function computeForward(
  { gpu, precision }: RunContext,
  model: Model,
  x: HostArray,
  layers: readonly string[],
): Promise<Map<string, ComputedTensor>> {
  model.to(gpu).precision = precision;
  try {
    const computed = new Map<string, ComputedTensor>();
    computed.set('predictions', floats(await model.predict(x)));
    // Not `layer.output`, which for a model within this one is the end of its own graph.
    const nodes = layers.flatMap((name) => model.graph.nodes.find(({ layer }) => layer.name === name) ?? []);
    const outputs = nodes.flatMap((node) => node.outputs.slice(0, 1));
    if (outputs.length > 0) {
      const name = `${model.name} activations`;
      const observer = new Model({ inputs: model.inputs, outputs, name }).to(gpu);
      observer.precision = precision;
      const activations = await observer.predictOnBatch(x);
      activations.forEach((array, i) =>
        computed.set(`activation.${nodes[i]?.layer.name ?? ''}`, floats(array)),
      );
    }
    return computed;
  } finally {
    model.dispose();
  }
}

export function floats({ data, shape }: HostArray): ComputedTensor {
  return { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}
