import { ConvbaseError } from '@convbase/base';
import { InputLayer, Model, Sequential, type Dimension, type Layer } from '@convbase/layers';
import {
  layerName,
  parseModelConfig,
  type KerasLayerConfig,
  type KerasModelConfig,
} from '../formats/index.ts';
import { CallBudget } from './call-budget.ts';
import { FunctionalGraph, functionalClasses, missing, type Build } from './functional-graph.ts';
import { modelEnds } from './inbound.ts';
import { inputShape, shapeSchema } from './input-shape.ts';
import { readLayer } from './read-layer.ts';

const MAX_LAYERS = 10_000;
const MAX_DEPTH = 16;

export interface FromConfigOptions {
  /** Replaces the shape of the model's only input: [height, width, channels], null for any size. */
  readonly inputShape?: readonly Dimension[];
  /** Ends the model at this layer; what comes after it is not built. */
  readonly until?: string;
}

/**
 * Rebuilds a model from its Keras config, with initial weights.
 *
 * Understood are Functional and Sequential models as Keras 3 writes them and as Keras 2 and TensorFlow.js do, nested
 * ones too, made of the layers in `layer-table.ts`.
 *
 * @throws ConvbaseError `graph/layer` and `graph/option` for what convbase does not have, `graph/cycle`,
 * `graph/missing`, `graph/duplicate`, `graph/too-large`, `graph/input` for configs that describe no model
 */
export function modelFromConfig(config: unknown, options: FromConfigOptions = {}): Model {
  return readModel(parseModelConfig(config, 'model config'), options, 0, new CallBudget());
}

function readModel(
  config: KerasModelConfig,
  options: FromConfigOptions,
  depth: number,
  budget: CallBudget,
): Model {
  const name = config.config.name ?? config.class_name.toLowerCase();
  const { layers } = config.config;
  if (layers.length > MAX_LAYERS || depth > MAX_DEPTH) {
    throw new ConvbaseError('graph/too-large', `it has ${layers.length} layers, nested ${depth} deep`, {
      where: name,
      fix: `A model may have ${MAX_LAYERS} layers and be nested ${MAX_DEPTH} deep.`,
    });
  }
  const build = (layer: KerasLayerConfig): Layer =>
    Array.isArray(layer.config['layers'])
      ? readModel(parseModelConfig(layer, name), {}, depth + 1, budget)
      : readLayer(layer, name);
  if (config.class_name === 'Sequential') return readSequential(name, config, options, build, budget);
  if (functionalClasses.has(config.class_name)) return readFunctional(name, config, options, build, budget);
  throw new ConvbaseError('graph/layer', `convbase cannot rebuild models of the class ${config.class_name}`, {
    where: name,
    fix: 'It rebuilds Functional and Sequential models.',
  });
}

/** Of the model itself: each layer's config has its own. */
function isTrainable(config: Readonly<Record<string, unknown>>): boolean {
  return config['trainable'] !== false;
}

function readSequential(
  name: string,
  { config }: KerasModelConfig,
  options: FromConfigOptions,
  build: Build,
  budget: CallBudget,
): Model {
  const [first, ...rest] = config.layers;
  if (first === undefined) throw new ConvbaseError('graph/input', 'it has no layers', { where: name });
  const isInput = first.class_name === 'InputLayer';
  const shape =
    options.inputShape ?? inputShape(first, name) ?? shapeSchema.safeParse(config['build_input_shape']).data;
  if (shape === undefined) {
    throw new ConvbaseError('graph/input', 'its config says nothing of the shape of its input', {
      where: name,
      fix: 'Build the model in Keras (call it once, or start with an Input) before saving it.',
    });
  }
  const inputName = isInput ? layerName(first) : undefined;
  const layers: Layer[] = [new InputLayer({ shape, name: inputName ?? 'input_layer' })];
  const trainable = isTrainable(config);
  for (const layer of isInput ? rest : config.layers) {
    const built = build(layer);
    budget.spend(built, name);
    layers.push(built);
    if (options.until !== undefined && layerName(layer) === options.until)
      return new Sequential({ layers, name, trainable });
  }
  if (options.until !== undefined) throw missing(options.until, name, config.layers);
  return new Sequential({ layers, name, trainable });
}

function readFunctional(
  name: string,
  { config }: KerasModelConfig,
  options: FromConfigOptions,
  build: Build,
  budget: CallBudget,
): Model {
  const graph = new FunctionalGraph(name, config.layers, options.inputShape, build, budget);
  const inputs = modelEnds(config, 'input_layers', name);
  if (options.inputShape !== undefined && inputs.length !== 1) {
    throw new ConvbaseError('graph/input', `an input shape was given, but it has ${inputs.length} inputs`, {
      where: name,
    });
  }
  const outputs =
    options.until === undefined
      ? modelEnds(config, 'output_layers', name)
      : [{ layer: options.until, node: 0, tensor: 0 }];
  // Inputs first: layers take their numbers, and models their inputs, in this order.
  const inputTensors = inputs.map((end) => graph.tensor(end));
  const outputTensors = outputs.map((end) => graph.tensor(graph.endOf(end)));
  return new Model({ inputs: inputTensors, outputs: outputTensors, name, trainable: isTrainable(config) });
}
