import { ConvbaseError } from '@convbase/base';
import { InputLayer, Model, Operation, Sequential, Stack, UnaryLayer } from '@convbase/layers';
import type { Layer, Node, SymbolicTensor } from '@convbase/layers';
import type { KerasLayerConfig, KerasModelConfig } from '../formats/index.ts';
import { keras3, type Dialect, type History } from './dialects.ts';
import { isKerasObject, kerasObject } from './keras-object.ts';
import { layerTable } from './layer-table.ts';

/**
 * The config of a model as Keras 3 writes it to `config.json`: Functional and Sequential models, nested ones too.
 * `modelFromConfig` and `keras.saving.deserialize_keras_object` make the same model of it.
 *
 * @throws ConvbaseError `graph/layer` for a layer of a class that Keras does not have
 */
export function configOf(model: Model, dialect: Dialect = keras3): KerasModelConfig {
  return model instanceof Sequential ? sequentialConfig(model, dialect) : functionalConfig(model, dialect);
}

function functionalConfig(model: Model, dialect: Dialect): KerasModelConfig {
  const { graph } = model;
  const calls = new Calls(graph.nodes);
  const ends = (tensors: readonly SymbolicTensor[]): unknown[] =>
    dialect.ends(
      tensors.map((tensor) => {
        const ofModel = tensor.layer instanceof Model ? tensor.layer.className : undefined;
        return { history: calls.history(tensor), ofModel };
      }),
    );
  const config = {
    name: model.name,
    trainable: model.trainable,
    layers: graph.layers.map((layer) => ({
      ...layerConfig(layer, dialect),
      name: layer.name,
      inbound_nodes: calls.of(layer).flatMap((node) => inboundNode(node, calls, dialect)),
    })),
    input_layers: ends(graph.inputs),
    output_layers: ends(graph.outputs),
  };
  return {
    ...dialect.object(kerasObject('keras.src.models.functional', 'Functional', config, 'Functional')),
    config,
    build_config: { input_shape: null },
  };
}

function sequentialConfig(model: Sequential, dialect: Dialect): KerasModelConfig {
  const [input] = model.inputs;
  const layers = [...(input === undefined ? [] : [input.layer]), ...model.layers];
  const config = {
    ...commonConfig(model, dialect),
    layers: layers.map((layer) => layerConfig(layer, dialect)),
    build_input_shape: input?.shape ?? null,
  };
  return {
    ...dialect.object(kerasObject('keras', 'Sequential', config)),
    config,
    build_config: { input_shape: input?.shape ?? null },
  };
}

function layerConfig(layer: Layer, dialect: Dialect): KerasLayerConfig {
  if (layer instanceof Model) return configOf(layer, dialect);
  const written = (className: string, config: KerasLayerConfig['config']): KerasLayerConfig => ({
    ...dialect.object(kerasObject('keras.layers', className, config)),
    config,
  });
  if (layer instanceof InputLayer) return written('InputLayer', dialect.input(layer.name, layer.batchShape));
  if (layer instanceof Operation) return operationConfig(layer, dialect);
  const standIn = dialect.standIn?.(layer);
  if (standIn !== undefined)
    return written(standIn.className, { ...commonConfig(layer, dialect), ...standIn.config });
  const known = Object.hasOwn(layerTable, layer.className) ? layerTable[layer.className] : undefined;
  if (known === undefined) {
    throw new ConvbaseError('graph/layer', `Keras has no layer ${layer.className}`, {
      where: layer.name,
      fix: `Only models of Keras' layers can be saved: ${Object.keys(layerTable).sort().join(', ')}.`,
    });
  }
  const own = Object.entries(known.config(layer)).map(([key, value]) => {
    return [key, isKerasObject(value) ? dialect.object(value) : value] as const;
  });
  const config = { ...commonConfig(layer, dialect), ...Object.fromEntries(own) };
  return { ...written(layer.className, config), ...buildConfig(layer) };
}

function operationConfig(operation: Operation, dialect: Dialect): KerasLayerConfig {
  const { name, className } = operation;
  if (dialect.operationCall === undefined) {
    throw new ConvbaseError('graph/layer', `TensorFlow.js has no operation ${className} between layers`, {
      where: name,
      fix: 'Save the model as .keras, or give TensorFlow.js the part of it behind the operations.',
    });
  }
  const config = operation instanceof Stack ? { name, axis: operation.axis } : { name };
  return { ...dialect.object(kerasObject('keras.src.ops.numpy', className, config, className)), config };
}

/** The shape that the layer's weights were made for; Keras makes them for it as soon as it reads the layer. */
function buildConfig({ weights, nodes }: Layer): { build_config?: object } {
  const shape = nodes[0]?.inputs[0]?.shape;
  return weights.length === 0 || shape === undefined ? {} : { build_config: { input_shape: shape } };
}

function commonConfig({ name, trainable }: Layer, { dtype }: Dialect): KerasLayerConfig['config'] {
  return { name, trainable, dtype };
}

/** The calls of layers that belong to one model, and where each stands among its layer's. */
class Calls {
  readonly #ofLayer = new Map<Layer, Node[]>();

  constructor(nodes: readonly Node[]) {
    const inModel = new Set(nodes);
    for (const { layer } of nodes) {
      if (!this.#ofLayer.has(layer)) {
        this.#ofLayer.set(
          layer,
          layer.nodes.filter((node) => inModel.has(node)),
        );
      }
    }
  }

  of(layer: Layer): readonly Node[] {
    return this.#ofLayer.get(layer) ?? [];
  }

  history({ layer, node, tensorIndex }: SymbolicTensor): History {
    return [layer.name, this.of(layer).indexOf(node), tensorIndex];
  }
}

/** An input has no call to write down; other layers have one entry a call. */
function inboundNode({ layer, inputs }: Node, calls: Calls, dialect: Dialect): unknown[] {
  if (inputs.length === 0) return [];
  const tensors = inputs.map((input) => {
    return { shape: input.shape, history: calls.history(input), ofModel: input.layer instanceof Model };
  });
  if (layer instanceof Operation) return [dialect.operationCall?.(tensors, layer)];
  const single = layer instanceof UnaryLayer || (layer instanceof Model && layer.inputs.length === 1);
  return [dialect.call(tensors, !single)];
}
