import { visibleLine } from '@convbase/base';
import type { Layer, Node } from '../layers/layer.ts';
import type { Variable } from '../layers/variable.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Graph } from './graph.ts';
import { renderTable, type Column } from './table.ts';

export interface SummaryOptions {
  /** Adds a column that says which layers training may change. */
  readonly showTrainable?: boolean;
  /** Lists the layers inside models that are used as layers. */
  readonly expandNested?: boolean;
  /** Characters in a line; when left out, as many as Keras takes on a terminal of `columns`. */
  readonly lineLength?: number;
  /** Width of the terminal, 80 when left out, as where there is none. */
  readonly columns?: number;
}

/** What the summary needs to know of a model. */
export interface Summarized {
  readonly name: string;
  readonly layers: readonly Layer[];
  /** Null for a stack of layers, whose order says how they are connected. */
  readonly connections: Graph | null;
  readonly trainableWeights: readonly Variable[];
  readonly nonTrainableWeights: readonly Variable[];
  /** Scalars that the optimizer remembers, once it has been used. */
  readonly optimizerParams: number | null;
}

/** The table of a model's layers as Keras 3 prints it (keras/src/utils/summary_utils.py), without colours. */
export function summarize(model: Summarized, options: SummaryOptions = {}): string {
  const { showTrainable = false, expandNested = false, columns: terminal = 80 } = options;
  const connections = model.connections !== null && isBranched(model.connections) ? model.connections : null;
  const headers =
    connections === null
      ? ['Layer (type)', 'Output Shape', 'Param #']
      : ['Layer (type)', 'Output Shape', 'Param #', 'Connected to'];
  let positions = connections === null ? [0.45, 0.8, 1] : [0.3, 0.56, 0.74, 1];
  let defaultLength = connections === null ? 88 : 108;
  if (showTrainable) {
    headers.push('Trainable');
    positions = [...positions.map((position) => position * 0.9), 1];
    defaultLength += 12;
  }
  const lineLength = options.lineLength ?? Math.min(defaultLength, terminal - 4);

  let used = 0;
  const columns = headers.map((header, index): Column => {
    const width = Math.trunc((positions[index] ?? 1) * lineLength) - used;
    used += width;
    const align = header === 'Param #' ? 'right' : header === 'Trainable' ? 'center' : 'left';
    return { header, align, width };
  });
  const rows = model.layers.flatMap((layer) => layerRows(layer, 0));

  const trainable = countElements(model.trainableWeights);
  const fixed = countElements(model.nonTrainableWeights);
  const optimizer = model.optimizerParams ?? 0;
  // Keras counts steps in eight bytes; everything else takes four.
  const extraBytes = model.optimizerParams === null ? 0 : 4;
  return [
    `Model: "${visibleLine(model.name)}"`,
    renderTable(columns, rows, lineLength),
    ` Total params: ${count(trainable + fixed + optimizer, extraBytes)}`,
    ` Trainable params: ${count(trainable)}`,
    ` Non-trainable params: ${count(fixed)}`,
    ...(model.optimizerParams === null ? [] : [` Optimizer params: ${count(optimizer, extraBytes)}`]),
    '',
  ].join('\n');

  function layerRows(layer: Layer, level: number): string[][] {
    const prefix = level === 0 ? '' : `${'   '.repeat(level)}└ `;
    const row = [
      `${prefix}${layer.name} (${layer.className})`,
      formatOutput(layer),
      layer.built ? layer.countParams().toLocaleString('en-US') : '0 (unbuilt)',
    ];
    if (connections !== null) row.push(connectedTo(layer, connections));
    if (showTrainable) row.push(layer.weights.length === 0 ? '-' : layer.trainable ? 'Y' : 'N');
    const inner = expandNested ? layer.sublayers.flatMap((sublayer) => layerRows(sublayer, level + 1)) : [];
    return [row, ...inner];
  }
}

/** Keras prints a column of connections unless every layer has one input and follows the one before it. */
function isBranched(graph: Graph): boolean {
  if (graph.nodesByDepth.some((nodes) => nodes.length > 1 || (nodes[0]?.inputs.length ?? 0) > 1)) return true;
  const called = new Set<Layer>();
  return graph.nodes.some(({ layer }) => called.size === called.add(layer).size);
}

function formatOutput(layer: Layer): string {
  const node = layer.nodes.at(-1);
  if (node === undefined) return '?';
  const shapes = node.outputs.map((output) => tuple(output.shape));
  return shapes.length === 1 ? (shapes[0] ?? '?') : `[${shapes.join(', ')}]`;
}

/** Unlike a Python tuple, Keras' table has no comma behind a single dimension. */
function tuple(shape: Shape): string {
  return `(${shape.map((dimension) => dimension ?? 'None').join(', ')})`;
}

function connectedTo(layer: Layer, graph: Graph): string {
  const inGraph = new Set<Node>(graph.nodes);
  const inputs = layer.nodes.filter((node) => inGraph.has(node)).flatMap((node) => node.inputs);
  if (inputs.length === 0) return '-';
  return inputs.map((input) => `${input.layer.name}[${input.nodeIndex}][${input.tensorIndex}]`).join(', ');
}

function countElements(weights: readonly Variable[]): number {
  return weights.reduce((sum, weight) => sum + weight.size, 0);
}

/** `14,714,688 (56.13 MB)`: a parameter takes four bytes. */
function count(parameters: number, extraBytes = 0): string {
  let size = parameters * 4 + extraBytes;
  let unit = 'B';
  for (const next of ['KB', 'MB', 'GB', 'TB']) {
    if (size < 1024) break;
    size /= 1024;
    unit = next;
  }
  return `${parameters.toLocaleString('en-US')} (${size.toFixed(2)} ${unit})`;
}
