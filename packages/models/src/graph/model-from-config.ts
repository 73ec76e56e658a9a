import { ConvbaseError } from '@convbase/base';
import {
  Model,
  Sequential,
  InputLayer,
  type Dimension,
  type Layer,
  type SymbolicTensor,
} from '@convbase/layers';
import { z } from 'zod';
import {
  isOperation,
  layerName,
  parseModelConfig,
  type KerasLayerConfig,
  type KerasModelConfig,
} from '../formats/index.ts';
import { CallBudget } from './call-budget.ts';
import { inboundCalls, modelEnds, type TensorReference } from './inbound.ts';
import { readOperation } from './operations.ts';
import { readLayer } from './read-layer.ts';

const functionalClasses = new Set(['Functional', 'Model']);
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

type Build = (layer: KerasLayerConfig) => Layer;

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

/** Calls layers in the order in which their inputs become known, starting from whatever output is asked for. */
class FunctionalGraph {
  readonly #model: string;
  readonly #configs = new Map<string, KerasLayerConfig>();
  readonly #calls = new Map<string, readonly (readonly TensorReference[])[]>();
  /** Nested models whose calls count from 1. */
  readonly #fromOne = new Set<string>();
  /** How to make what is no layer but an operation between some. */
  readonly #operations = new Map<string, () => Layer>();
  readonly #layers = new Map<string, Layer>();
  readonly #outputs = new Map<string, readonly SymbolicTensor[]>();
  readonly #inputShape: readonly Dimension[] | undefined;
  readonly #build: Build;
  readonly #budget: CallBudget;

  constructor(
    model: string,
    layers: readonly KerasLayerConfig[],
    shape: readonly Dimension[] | undefined,
    build: Build,
    budget: CallBudget,
  ) {
    this.#model = model;
    this.#inputShape = shape;
    this.#build = build;
    this.#budget = budget;
    for (const layer of layers) {
      const name = layerName(layer);
      if (name === undefined || this.#configs.has(name)) {
        throw new ConvbaseError(
          'graph/duplicate',
          `it has ${name === undefined ? 'a layer without a name' : `two layers called ${name}`}`,
          {
            where: model,
            fix: 'Give every layer a name of its own.',
          },
        );
      }
      this.#configs.set(name, layer);
      if (isOperation(layer)) {
        const { inputs, make } = readOperation(layer, name, model);
        this.#calls.set(name, [inputs]);
        this.#operations.set(name, make);
      } else this.#calls.set(name, inboundCalls(layer, `${model}, layer ${name}`));
    }
    this.#countNestedCalls();
  }

  /** Keras 2 counts the making of a nested model as its first call, so that its last is as many as there are calls. */
  #countNestedCalls(): void {
    for (const { layer, node } of [...this.#calls.values()].flat(2)) {
      if (this.#isModel(layer) && node > 0 && node === this.#calls.get(layer)?.length)
        this.#fromOne.add(layer);
    }
    for (const [name, calls] of this.#calls) {
      const counted = calls.map((inputs) => {
        return inputs.map((input) => (this.#fromOne.has(input.layer) ? before(input) : input));
      });
      this.#calls.set(name, counted);
    }
  }

  /** What a model's output refers to; there Keras 3, too, counts the calls of a functional model from 1. */
  endOf(end: TensorReference): TensorReference {
    if (end.node === 0 || !this.#isModel(end.layer)) return end;
    const isLast = end.node === this.#calls.get(end.layer)?.length;
    const isFunctional = functionalClasses.has(this.#configs.get(end.layer)?.class_name ?? '');
    return isFunctional || isLast || this.#fromOne.has(end.layer) ? before(end) : end;
  }

  #isModel(layer: string): boolean {
    return Array.isArray(this.#configs.get(layer)?.config['layers']);
  }

  /** The tensor meant by a reference; everything it depends on is called first. */
  tensor(reference: TensorReference): SymbolicTensor {
    // An explicit stack: a file may describe a chain longer than the call stack is deep.
    const stack = [reference];
    const open = new Set<string>();
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const key = keyOf(top);
      const inputs = this.#outputs.has(key) ? [] : this.#inputsOf(top);
      const waiting = inputs.filter((input) => !this.#outputs.has(keyOf(input)));
      if (waiting.length > 0 && open.has(key))
        throw this.#error('graph/cycle', `the layer ${top.layer} depends on itself`);
      if (waiting.length > 0) {
        open.add(key);
        stack.push(...waiting);
        continue;
      }
      if (!this.#outputs.has(key)) this.#outputs.set(key, this.#call(top.layer, inputs));
      stack.pop();
    }
    return this.#find(reference);
  }

  /** What a call takes. */
  #inputsOf({ layer, node }: TensorReference): readonly TensorReference[] {
    const calls = this.#calls.get(layer);
    if (calls === undefined) throw missing(layer, this.#model, [...this.#configs.values()]);
    if (calls.length === 0 && node === 0) return [];
    const inputs = calls[node];
    if (inputs === undefined) throw this.#error('graph/missing', `the layer ${layer} has no call ${node}`);
    return inputs;
  }

  #call(name: string, inputs: readonly TensorReference[]): readonly SymbolicTensor[] {
    const config = this.#configs.get(name);
    if (config === undefined) throw missing(name, this.#model, [...this.#configs.values()]);
    if (config.class_name === 'InputLayer') {
      const shape = this.#inputShape ?? inputShape(config, this.#model);
      if (shape === undefined) throw this.#error('graph/input', `the input ${name} has no shape`);
      return [new InputLayer({ shape, name }).symbolic];
    }
    if (inputs.length === 0) throw this.#error('graph/input', `the layer ${name} is never called`);
    let layer = this.#layers.get(name);
    if (layer === undefined) {
      layer = this.#operations.get(name)?.() ?? this.#build(config);
      this.#layers.set(name, layer);
    }
    this.#budget.spend(layer, this.#model);
    return layer.applyAll(inputs.map((input) => this.#find(input)));
  }

  #find(reference: TensorReference): SymbolicTensor {
    const found = this.#outputs.get(keyOf(reference))?.[reference.tensor];
    if (found !== undefined) return found;
    throw this.#error('graph/missing', `the layer ${reference.layer} has no output ${reference.tensor}`);
  }

  #error(code: string, what: string): ConvbaseError {
    return new ConvbaseError(code, what, {
      where: this.#model,
      fix: 'The config is damaged: save the model again.',
    });
  }
}

const before = (reference: TensorReference): TensorReference => ({ ...reference, node: reference.node - 1 });

const keyOf = ({ layer, node }: TensorReference): string => `${node} ${layer}`;

const shapeSchema = z
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
function inputShape({ config }: KerasLayerConfig, model: string): readonly Dimension[] | undefined {
  const value = config['batch_shape'] ?? config['batch_input_shape'];
  if (value === undefined || value === null) return undefined;
  const parsed = shapeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConvbaseError('graph/input', `${JSON.stringify(value).slice(0, 100)} is not the shape of an input`, {
    where: `${model}, layer ${config.name ?? 'InputLayer'}`,
    fix: 'A shape starts with null for the batch and has at least one more dimension.',
  });
}

function missing(layer: string, model: string, layers: readonly KerasLayerConfig[]): ConvbaseError {
  const names = layers.map((config) => layerName(config) ?? '?');
  return new ConvbaseError('graph/missing', `it has no layer ${layer}`, {
    where: model,
    fix: `Its last layers are ${names.slice(-8).join(', ')}.`,
  });
}
