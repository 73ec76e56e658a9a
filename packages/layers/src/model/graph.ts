import { ConvbaseError } from '@convbase/base';
import type { Layer, Node, SymbolicTensor } from '../layers/layer.ts';
import type { Shape } from '../tensor/shape.ts';

/** The calls between some inputs and some outputs. */
export interface Graph {
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  /** Every call that an output needs, inputs included, each after those it depends on. */
  readonly nodes: readonly Node[];
  /** The same calls by their distance from the outputs, furthest first. */
  readonly nodesByDepth: readonly (readonly Node[])[];
  /** Every layer once, in Keras' order: furthest from the outputs first, then in order of discovery. */
  readonly layers: readonly Layer[];
}

/**
 * Walks back from the outputs to the inputs, as Keras' `map_graph` (keras/src/ops/function.py), so that layers come
 * in the same order as in `model.layers` there. A tensor named as input ends the walk even when something produced
 * it. Throws `model/graph` when an output depends on an input that is not among them.
 */
export function buildGraph(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): Graph {
  const discovered = new Map<Layer, number>();
  const nodes = topologicalOrder(inputs, outputs, discovered);
  const { nodeDepths, layerDepths } = depths(nodes, inputs);

  for (const { node, layer } of inputs) {
    if (layerDepths.has(layer) || node.inputs.length > 0) continue;
    layerDepths.set(layer, 0);
    discovered.set(layer, -1);
    nodeDepths.set(node, 0);
  }
  const layers = [...layerDepths]
    .sort(
      ([a, depthA], [b, depthB]) => depthB - depthA || (discovered.get(a) ?? 0) - (discovered.get(b) ?? 0),
    )
    .map(([layer]) => layer);

  const byDepth = new Map<number, Node[]>();
  for (const [node, depth] of nodeDepths) {
    const sameDepth = byDepth.get(depth);
    if (sameDepth === undefined) byDepth.set(depth, [node]);
    else sameDepth.push(node);
  }
  const nodesByDepth = [...byDepth].sort(([a], [b]) => b - a).map(([, list]) => list);
  return { inputs, outputs, nodes, nodesByDepth, layers };
}

/** Depth-first from the outputs; iterative, because a deep network would exhaust the stack. */
function topologicalOrder(
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
  discovered: Map<Layer, number>,
): readonly Node[] {
  const boundary = new Set(inputs);
  const finished = new Set<Node>();
  const order: Node[] = [];
  for (const output of outputs) {
    const stack: { node: Node; next: number }[] = [];
    const enter = (value: SymbolicTensor): void => {
      const { node } = value;
      if (finished.has(node) || (boundary.has(value) && node.inputs.length > 0)) return;
      if (node.inputs.length === 0 && !boundary.has(value)) {
        throw new ConvbaseError(
          'model/graph',
          `an output depends on the input ${value.layer.name}, which is not given`,
          {
            where: output.layer.name,
            fix: 'Name every input the outputs depend on in `inputs`.',
          },
        );
      }
      if (!discovered.has(node.layer)) discovered.set(node.layer, discovered.size);
      stack.push({ node, next: 0 });
    };
    enter(output);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++];
      if (input !== undefined) {
        enter(input);
        continue;
      }
      stack.pop();
      if (finished.has(top.node)) continue;
      finished.add(top.node);
      order.push(top.node);
    }
  }
  return order;
}

/** Distances from the outputs; a layer called several times counts with its largest. */
function depths(
  nodes: readonly Node[],
  inputs: readonly SymbolicTensor[],
): { nodeDepths: Map<Node, number>; layerDepths: Map<Layer, number> } {
  const inGraph = new Set(nodes);
  const boundary = new Set(inputs);
  const nodeDepths = new Map<Node, number>();
  const layerDepths = new Map<Layer, number>();
  for (const node of [...nodes].reverse()) {
    const depth = Math.max(nodeDepths.get(node) ?? 0, layerDepths.get(node.layer) ?? 0);
    layerDepths.set(node.layer, depth);
    nodeDepths.set(node, depth);
    for (const input of node.inputs) {
      if (!inGraph.has(input.node) || (boundary.has(input) && input.node.inputs.length > 0)) continue;
      nodeDepths.set(input.node, Math.max(depth + 1, nodeDepths.get(input.node) ?? 0));
    }
  }
  return { nodeDepths, layerDepths };
}

/** Throws `model/names` for two layers of one name. */
export function checkNames(layers: readonly Layer[]): void {
  const names = new Set<string>();
  for (const { name } of layers) {
    if (names.has(name)) {
      throw new ConvbaseError('model/names', `two layers are called ${name}`, {
        fix: 'Give every layer of a model a name of its own.',
      });
    }
    names.add(name);
  }
}

/** The shapes of all tensors of a graph when its inputs have these shapes. */
export function shapesWithin(graph: Graph, inputs: readonly Shape[]): ReadonlyMap<SymbolicTensor, Shape> {
  const shapes = new Map<SymbolicTensor, Shape>();
  graph.inputs.forEach((symbolic, index) => shapes.set(symbolic, inputs[index] ?? symbolic.shape));
  for (const node of graph.nodes) {
    if (node.inputs.length === 0) continue;
    const results = node.layer.outputShapes(node.inputs.map((value) => shapes.get(value) ?? value.shape));
    node.outputs.forEach((symbolic, index) => shapes.set(symbolic, results[index] ?? symbolic.shape));
  }
  return shapes;
}
