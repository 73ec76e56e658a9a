import { ConvbaseError } from '@convbase/base';
import { writeFileAtomic } from '@convbase/base/node';
import { channelsLast, converters, type Value } from './convert-layer.ts';
import { OnnxGraph } from './graph.ts';
import { readLayersModel, type LayersModel } from './layers-model.ts';

/**
 * Writes the ONNX model of a TensorFlow.js layers-model: same network, same weights.
 *
 * Input `x` and output `y` are NHWC like everywhere here, the batch is the free dimension `N`; in between are the
 * NCHW operators that ONNX has. Normalisation and activations stay nodes of their own, which runtimes fold and fuse.
 *
 * @param modelJson path of the layers-model's `model.json`
 * @param path of the file to write
 * @throws ConvbaseError `bench/onnx-layer` for a layer that this exporter does not know
 */
export async function exportOnnx(modelJson: string, path: string): Promise<void> {
  await writeFileAtomic(path, onnxOf(await readLayersModel(modelJson)));
}

/** The bytes of the ONNX model. See `exportOnnx`. */
export function onnxOf(model: LayersModel): Uint8Array<ArrayBuffer> {
  const graph = new OnnxGraph();
  const values = new Map<string, Value>();
  for (const layer of model.layers) {
    if (layer.class_name === 'InputLayer') {
      const [, ...shape] = layer.config['batch_input_shape'] as [null, ...number[]];
      values.set(layer.name, inputOf(graph, shape));
      continue;
    }
    const inputs = (layer.inbound_nodes[0] ?? []).map(([name]) => valueOf(values, name));
    const convert = converters[layer.class_name];
    if (convert === undefined || layer.inbound_nodes.length !== 1) {
      throw new ConvbaseError('bench/onnx-layer', `no ONNX operator for this ${layer.class_name}`, {
        where: layer.name,
      });
    }
    values.set(layer.name, convert(layer, inputs, graph, model));
  }
  const last = channelsLast(graph, valueOf(values, model.output), 'output');
  const y = graph.node('Identity', 'y', [last.name]);
  graph.output(y, ['N', ...last.shape]);
  return graph.bytes();
}

function inputOf(graph: OnnxGraph, shape: readonly number[]): Value {
  const x = graph.input('x', ['N', ...shape]);
  const [h, w, c] = shape;
  if (h === undefined || w === undefined || c === undefined) return { name: x, shape };
  return { name: graph.node('Transpose', 'input', [x], { perm: [0, 3, 1, 2] }), shape: [c, h, w] };
}

function valueOf(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name);
  if (value === undefined)
    throw new ConvbaseError('bench/onnx-order', 'it is used before it is made', { where: name });
  return value;
}
