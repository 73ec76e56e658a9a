import { Model, type Layer, type Variable } from '@convbase/layers';
import { configOf } from '../graph/index.ts';

/**
 * A model as a safetensors file, piece by piece: the tensors `<layer>/<weight>` (in a nested model
 * `<model>/<layer>/<weight>`) and in the metadata the model's Keras config as JSON, so that one file is the whole model.
 */
export async function* safetensorsModel(model: Model): AsyncGenerator<Uint8Array> {
  const weights = namedWeights(model, '');
  const header: Record<string, unknown> = {
    __metadata__: { format: 'keras', config: JSON.stringify(configOf(model)) },
  };
  let end = 0;
  for (const [name, { shape, size }] of weights) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + 4 * size] };
    end += 4 * size;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Spaces behind the header let the data start at a multiple of 8.
  const padded = new Uint8Array(8 + Math.ceil(json.byteLength / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.byteLength - 8), true);
  padded.set(json, 8);
  yield padded;
  for (const weight of weights.values()) {
    const values = await weight.read();
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }
}

/** Every weight by the names of the models and the layer it is in. */
function namedWeights(layer: Layer, prefix: string): Map<string, Variable> {
  const named = new Map<string, Variable>();
  if (!(layer instanceof Model)) {
    for (const weight of layer.weights) named.set(`${prefix}${weight.name}`, weight);
    return named;
  }
  for (const inner of layer.layers) {
    for (const [name, weight] of namedWeights(inner, `${prefix}${inner.name}/`)) named.set(name, weight);
  }
  return named;
}
