import { readBounded } from '@convbase/base/node';
import { dirname, join } from 'node:path';

/** More than any network here has. */
const MAX_BYTES = 2 ** 31;

/** A layer of a functional model, as `model.json` has it. */
export interface LayerEntry {
  readonly class_name: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** For each call of the layer (here one) its inputs: `[layer, call, output, options]`. */
  readonly inbound_nodes: readonly (readonly (readonly [string, number, number, object])[])[];
}

/** In a Sequential model a layer has no name beside its config's, and no inputs: they are what is before it. */
type SequentialEntry = Pick<LayerEntry, 'class_name' | 'config'>;

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A model of TensorFlow.js: layers in an order in which they can be computed, weights by `layer/name`. */
export interface LayersModel {
  readonly layers: readonly LayerEntry[];
  /** Name of the layer whose output is the model's. */
  readonly output: string;
  readonly weights: ReadonlyMap<string, Weight>;
}

interface ModelJson {
  readonly modelTopology: {
    readonly model_config:
      | {
          readonly class_name: 'Functional';
          readonly config: {
            readonly layers: readonly LayerEntry[];
            readonly output_layers: readonly [readonly [string, number, number]];
          };
        }
      | {
          readonly class_name: 'Sequential';
          readonly config: { readonly layers: readonly SequentialEntry[] };
        };
  };
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  }[];
}

/** Reads a layers-model that convbase's `saveModel` has written. */
export async function readLayersModel(path: string): Promise<LayersModel> {
  const json = JSON.parse((await readBounded(path, MAX_BYTES)).toString()) as ModelJson;
  const weights = new Map<string, Weight>();
  for (const group of json.weightsManifest) {
    const shards = await Promise.all(
      group.paths.map((shard) => readBounded(join(dirname(path), shard), MAX_BYTES)),
    );
    const bytes = new Uint8Array(Buffer.concat(shards));
    let offset = 0;
    for (const { name, shape } of group.weights) {
      const size = shape.reduce((product, extent) => product * extent, 1);
      weights.set(name, { shape, values: new Float32Array(bytes.buffer, offset, size) });
      offset += 4 * size;
    }
  }
  return { ...graphOf(json.modelTopology.model_config), weights };
}

function graphOf(model: ModelJson['modelTopology']['model_config']): Pick<LayersModel, 'layers' | 'output'> {
  if (model.class_name === 'Functional') {
    const { layers, output_layers } = model.config;
    return { layers, output: output_layers[0][0] };
  }
  const layers: LayerEntry[] = [];
  const add = (entry: SequentialEntry): void => {
    const before = layers.at(-1)?.name;
    const inbound_nodes = before === undefined ? [] : [[[before, 0, 0, {}] as const]];
    layers.push({ ...entry, name: entry.config['name'] as string, inbound_nodes });
  };
  const [first] = model.config.layers;
  if (first !== undefined && first.class_name !== 'InputLayer') {
    const { batch_input_shape } = first.config;
    add({ class_name: 'InputLayer', config: { name: 'input', batch_input_shape } });
  }
  model.config.layers.forEach(add);
  return { layers, output: layers.at(-1)?.name ?? '' };
}
