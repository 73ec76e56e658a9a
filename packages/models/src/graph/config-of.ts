import { ConvbaseError } from '@convbase/base';
import { InputLayer, Model, Sequential, UnaryLayer } from '@convbase/layers';
import type { Layer, Node, Shape, SymbolicTensor } from '@convbase/layers';
import type { KerasLayerConfig, KerasModelConfig } from '../formats/index.ts';
import { kerasObject } from './keras-object.ts';
import { layerTable } from './layer-table.ts';

/**
 * The config of a model as Keras 3 writes it to `config.json`: Functional and Sequential models, nested ones too.
 * `modelFromConfig` and `keras.saving.deserialize_keras_object` make the same model of it.
 *
 * @throws ConvbaseError `graph/layer` for a layer of a class that Keras does not have
 */
export function configOf(model: Model): KerasModelConfig {
  return model instanceof Sequential ? sequentialConfig(model) : functionalConfig(model);
}

function functionalConfig(model: Model): KerasModelConfig {
  const { graph } = model;
  const calls = new Calls(graph.nodes);
  const config = {
    name: model.name,
    trainable: model.trainable,
    layers: graph.layers.map((layer) => ({
      ...layerConfig(layer),
      name: layer.name,
      inbound_nodes: calls.of(layer).flatMap((node) => inboundNode(node, calls)),
    })),
    input_layers: ends(graph.inputs, calls),
    output_layers: ends(graph.outputs, calls),
  };
  return {
    ...kerasObject('keras.src.models.functional', 'Functional', config, 'Functional'),
    config,
    build_config: { input_shape: null },
  };
}

function sequentialConfig(model: Sequential): KerasModelConfig {
  const [input] = model.inputs;
  const first = input === undefined ? [] : [layerConfig(input.layer)];
  const config = {
    ...commonConfig(model),
    layers: [...first, ...model.layers.map(layerConfig)],
    build_input_shape: input?.shape ?? null,
  };
  return {
    ...kerasObject('keras', 'Sequential', config),
    config,
    build_config: { input_shape: input?.shape ?? null },
  };
}

function layerConfig(layer: Layer): KerasLayerConfig {
  if (layer instanceof Model) return configOf(layer);
  if (layer instanceof InputLayer) {
    const { name, batchShape } = layer;
    const config = { name, batch_shape: batchShape, dtype: 'float32', sparse: false, ragged: false };
    return { ...kerasObject('keras.layers', 'InputLayer', config), config };
  }
  const known = Object.hasOwn(layerTable, layer.className) ? layerTable[layer.className] : undefined;
  if (known === undefined) {
    throw new ConvbaseError('graph/layer', `Keras has no layer ${layer.className}`, {
      where: layer.name,
      fix: `Only models of Keras' layers can be saved: ${Object.keys(layerTable).sort().join(', ')}.`,
    });
  }
  const config = { ...commonConfig(layer), ...known.config(layer) };
  return { ...kerasObject('keras.layers', layer.className, config), config, ...buildConfig(layer) };
}

/** The shape that the layer's weights were made for; Keras makes them for it as soon as it reads the layer. */
function buildConfig({ weights, nodes }: Layer): { build_config?: object } {
  const shape = nodes[0]?.inputs[0]?.shape;
  return weights.length === 0 || shape === undefined ? {} : { build_config: { input_shape: shape } };
}

function commonConfig({ name, trainable }: Layer): { name: string; trainable: boolean; dtype: object } {
  return { name, trainable, dtype: kerasObject('keras', 'DTypePolicy', { name: 'float32' }) };
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

  /** `['conv', 0, 0]`: layer, which of its calls, which output of that call. */
  history({ layer, node, tensorIndex }: SymbolicTensor): [string, number, number] {
    return [layer.name, this.of(layer).indexOf(node), tensorIndex];
  }
}

/** An input has no call to write down; other layers have one entry a call. */
function inboundNode({ layer, inputs }: Node, calls: Calls): object[] {
  if (inputs.length === 0) return [];
  const tensors = inputs.map((input) => kerasTensor(input.shape, calls.history(input)));
  const single = layer instanceof UnaryLayer || (layer instanceof Model && layer.inputs.length === 1);
  return [{ args: single ? tensors : [tensors], kwargs: {} }];
}

function kerasTensor(shape: Shape, history: readonly unknown[]): object {
  return { class_name: '__keras_tensor__', config: { shape, dtype: 'float32', keras_history: history } };
}

/** One tensor, or a list of them. The calls of a nested functional model count from 1 here: Keras made the call 0. */
function ends(tensors: readonly SymbolicTensor[], calls: Calls): unknown[] {
  const list = tensors.map((tensor) => {
    const [name, node, index] = calls.history(tensor);
    const { layer } = tensor;
    return [name, layer instanceof Model && !(layer instanceof Sequential) ? node + 1 : node, index];
  });
  const [only] = list;
  return list.length === 1 && only !== undefined ? only : list;
}
