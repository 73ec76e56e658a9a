import { ConvbaseError } from '@convbase/base';
import type { OnnxGraph } from './graph.ts';
import type { LayerEntry, LayersModel, Weight } from './layers-model.ts';
import { transpose } from './transpose.ts';

/** A value of the graph: its name, and its shape without the batch: (channels, height, width) or (features). */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What turns one kind of layer into nodes. */
type Convert = (layer: LayerEntry, inputs: readonly Value[], graph: OnnxGraph, model: LayersModel) => Value;

/** Two numbers of a layer's config: kernel_size, strides .. */
const pair = (layer: LayerEntry, key: string): [number, number] => layer.config[key] as [number, number];

/**
 * Zeros beside a picture before a window goes over it (top, left, bottom, right), and the size that this gives. SAME
 * is Keras': the smaller half before.
 */
function window(
  layer: LayerEntry,
  input: Value,
  kernel: readonly number[],
): { attributes: Record<string, readonly number[]>; height: number; width: number } {
  const strides = pair(layer, 'strides');
  const same = layer.config['padding'] === 'same';
  const [, h = 0, w = 0] = input.shape;
  const axis = (n: number, k: number, s: number): { size: number; before: number; after: number } => {
    if (!same) return { size: Math.floor((n - k) / s) + 1, before: 0, after: 0 };
    const size = Math.ceil(n / s);
    const total = Math.max((size - 1) * s + k - n, 0);
    const before = Math.floor(total / 2);
    return { size, before, after: total - before };
  };
  const [down, across] = [axis(h, kernel[0] ?? 0, strides[0]), axis(w, kernel[1] ?? 0, strides[1])];
  return {
    attributes: {
      kernel_shape: kernel,
      strides,
      pads: [down.before, across.before, down.after, across.after],
    },
    height: down.size,
    width: across.size,
  };
}

function weightOf(model: LayersModel, layer: LayerEntry, name: string): Weight | undefined {
  return model.weights.get(`${layer.name}/${name}`);
}

/** The layer's weight; without one, as many ones or zeros. */
function vector(
  model: LayersModel,
  layer: LayerEntry,
  name: string,
  size: number,
  otherwise: number,
): Float32Array {
  return weightOf(model, layer, name)?.values ?? new Float32Array(size).fill(otherwise);
}

function kernelOf(model: LayersModel, layer: LayerEntry): Weight {
  const kernel = weightOf(model, layer, 'kernel');
  if (kernel === undefined)
    throw new ConvbaseError('bench/onnx-weight', 'it has no kernel', { where: layer.name });
  return kernel;
}

/** The layer's activation, as a node of its own: runtimes fuse it. */
function activated(graph: OnnxGraph, layer: LayerEntry, value: Value): Value {
  const activation = (layer.config['activation'] ?? 'linear') as string;
  const operator = { relu: 'Relu', sigmoid: 'Sigmoid', softmax: 'Softmax', linear: undefined };
  if (!(activation in operator)) {
    throw new ConvbaseError('bench/onnx-layer', `no ONNX operator for the activation "${activation}"`, {
      where: layer.name,
    });
  }
  const opType = operator[activation as keyof typeof operator];
  if (opType === undefined) return value;
  const attributes = opType === 'Softmax' ? { axis: value.shape.length === 3 ? 1 : -1 } : {};
  return {
    name: graph.node(opType, `${layer.name}/${activation}`, [value.name], attributes),
    shape: value.shape,
  };
}

const conv2d: Convert = (layer, [x], graph, model) => {
  const input = x ?? missing(layer);
  const kernel = kernelOf(model, layer);
  const [kh = 0, kw = 0, ci = 0, co = 0] = kernel.shape;
  const { attributes, height, width } = window(layer, input, [kh, kw]);
  if (pair(layer, 'dilation_rate').some((rate) => rate !== 1) || layer.config['groups'] !== 1) missing(layer);
  const weights = graph.constant(
    `${layer.name}/kernel`,
    [co, ci, kh, kw],
    transpose(kernel.values, kernel.shape, [3, 2, 0, 1]),
  );
  const bias = graph.constant(`${layer.name}/bias`, [co], vector(model, layer, 'bias', co, 0));
  const name = graph.node('Conv', layer.name, [input.name, weights, bias], attributes);
  return activated(graph, layer, { name, shape: [co, height, width] });
};

const dense: Convert = (layer, [x], graph, model) => {
  const input = x ?? missing(layer);
  const { shape, values } = kernelOf(model, layer);
  const [, units = 0] = shape;
  const weights = graph.constant(`${layer.name}/kernel`, shape, values);
  const bias = graph.constant(`${layer.name}/bias`, [units], vector(model, layer, 'bias', units, 0));
  const name = graph.node('Gemm', layer.name, [input.name, weights, bias]);
  return activated(graph, layer, { name, shape: [units] });
};

const batchNormalization: Convert = (layer, [x], graph, model) => {
  const input = x ?? missing(layer);
  const channels = input.shape[0] ?? 0;
  const statistics = [
    ['gamma', 1],
    ['beta', 0],
    ['moving_mean', 0],
    ['moving_variance', 1],
  ] as const;
  const operands = statistics.map(([name, otherwise]) =>
    graph.constant(`${layer.name}/${name}`, [channels], vector(model, layer, name, channels, otherwise)),
  );
  const epsilon = { f: Number(layer.config['epsilon']) };
  return {
    name: graph.node('BatchNormalization', layer.name, [input.name, ...operands], { epsilon }),
    shape: input.shape,
  };
};

const pooling =
  (opType: string): Convert =>
  (layer, [x], graph) => {
    const input = x ?? missing(layer);
    const { attributes, height, width } = window(layer, input, pair(layer, 'pool_size'));
    // What lies outside the picture counts for nothing, as in Keras; that is the default of both operators.
    return {
      name: graph.node(opType, layer.name, [input.name], attributes),
      shape: [input.shape[0] ?? 0, height, width],
    };
  };

const globalPooling =
  (opType: string): Convert =>
  (layer, [x], graph) => {
    const input = x ?? missing(layer);
    const pooled = graph.node(opType, `${layer.name}/pooled`, [input.name]);
    return { name: graph.node('Flatten', layer.name, [pooled]), shape: input.shape.slice(0, 1) };
  };

const zeroPadding: Convert = (layer, [x], graph) => {
  const input = x ?? missing(layer);
  const [[top, bottom], [left, right]] = layer.config['padding'] as [[number, number], [number, number]];
  const pads = BigInt64Array.from([0, 0, top, left, 0, 0, bottom, right].map(BigInt));
  const [c = 0, h = 0, w = 0] = input.shape;
  const operand = graph.constant(`${layer.name}/pads`, [pads.length], pads);
  return {
    name: graph.node('Pad', layer.name, [input.name, operand]),
    shape: [c, h + top + bottom, w + left + right],
  };
};

const concatenate: Convert = (layer, inputs, graph) => {
  const [, ...rest] = inputs[0]?.shape ?? missing(layer);
  const names = inputs.map(({ name }) => name);
  return {
    name: graph.node('Concat', layer.name, names, { axis: 1 }),
    shape: [inputs.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0), ...rest],
  };
};

const add: Convert = (layer, [a, b, ...more], graph) => {
  if (a === undefined || b === undefined || more.length > 0) missing(layer);
  return { name: graph.node('Add', layer.name, [a.name, b.name]), shape: a.shape };
};

const flatten: Convert = (layer, [x], graph) => {
  const input = x ?? missing(layer);
  const rows = channelsLast(graph, input, `${layer.name}/rows`);
  return {
    name: graph.node('Flatten', layer.name, [rows.name]),
    shape: [input.shape.reduce((product, extent) => product * extent, 1)],
  };
};

/** Layers by the name of their class. */
export const converters: Readonly<Record<string, Convert | undefined>> = {
  Conv2D: conv2d,
  Dense: dense,
  BatchNormalization: batchNormalization,
  Activation: (layer, [x], graph) => activated(graph, layer, x ?? missing(layer)),
  MaxPooling2D: pooling('MaxPool'),
  AveragePooling2D: pooling('AveragePool'),
  GlobalAveragePooling2D: globalPooling('GlobalAveragePool'),
  GlobalMaxPooling2D: globalPooling('GlobalMaxPool'),
  ZeroPadding2D: zeroPadding,
  Concatenate: concatenate,
  Add: add,
  Flatten: flatten,
  // Does nothing outside training.
  Dropout: (layer, [x]) => x ?? missing(layer),
};

/** A value in the order of axes that everything here has outside an ONNX graph. */
export function channelsLast(graph: OnnxGraph, value: Value, name: string): Value {
  if (value.shape.length !== 3) return value;
  const [c = 0, h = 0, w = 0] = value.shape;
  return { name: graph.node('Transpose', name, [value.name], { perm: [0, 2, 3, 1] }), shape: [h, w, c] };
}

function missing(layer: LayerEntry): never {
  throw new ConvbaseError('bench/onnx-layer', `no ONNX operator for this ${layer.class_name}`, {
    where: layer.name,
  });
}
