import { isPureRelu } from '../layers/activation.ts';
import { ActivatedLayer, type Epilogue } from '../layers/activated.ts';
import { BatchNormalization } from '../layers/batch-normalization.ts';
import type { CallContext } from '../layers/context.ts';
import { Conv2D } from '../layers/conv2d.ts';
import type { Layer, Node, SymbolicTensor } from '../layers/layer.ts';
import { Add } from '../layers/merging.ts';
import type { Graph } from './graph.ts';
import { planJoins, type Place } from './joins.ts';

/** One thing to compute: a call, or a call together with those behind it that its kernel can do as well. */
export interface Step {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  /** What comes out: the outputs of the last call taken in. Nothing for what goes into its place in a joined tensor. */
  readonly outputs: readonly SymbolicTensor[];
  readonly epilogue: Epilogue;
  /** What is added to a convolution's result before the relu. */
  readonly residual?: SymbolicTensor;
  /** Where a convolution writes, in place of making its output. */
  readonly place?: Place;
  /** Where each of the inputs of a concatenation goes; those that are there already are not among its inputs. */
  readonly parts?: readonly Place[];
}

const predictions = new WeakMap<Graph, readonly Step[]>();

/** The steps of a graph in a call; those of a prediction depend on the graph alone and are kept. */
export function stepsOf(
  graph: Graph,
  context: CallContext,
  isWatched: (input: SymbolicTensor) => boolean,
): readonly Step[] {
  if (context.training || context.tape !== null) return planSteps(graph, context, isWatched);
  let steps = predictions.get(graph);
  if (steps === undefined) predictions.set(graph, (steps = planSteps(graph, context)));
  return steps;
}

/**
 * What to compute for a graph's outputs, in order.
 *
 * A call is taken into the one before it when nobody else sees what is between them: a relu into a convolution, dense
 * layer or normalisation, and a normalisation with constant statistics into a convolution whose weights are not being
 * trained. Where no gradient passes, a sum of two is taken into the convolution that makes one of them, and a
 * convolution writes straight into its channels of a concatenation. What is asked for as an output is always computed
 * by itself.
 *
 * @param isWatched whether gradients flow to an input of the graph
 */
export function planSteps(
  graph: Graph,
  context: CallContext,
  isWatched: (input: SymbolicTensor) => boolean = () => false,
): readonly Step[] {
  const consumers = consumersOf(graph);
  const differentiated = context.tape === null ? null : differentiatedNodes(graph, context, isWatched);
  const isQuiet = (node: Node): boolean => differentiated?.has(node) !== true;
  const taken = new Set<Node>();
  const steps: Step[] = [];

  /** The only call that uses the node's output, if nobody else wants to see it. */
  const onlyConsumer = (node: Node): Node | undefined => {
    const [output, ...more] = node.outputs;
    if (output === undefined || more.length > 0) return undefined;
    const users = consumers.get(output) ?? [];
    return users.length === 1 ? users[0] : undefined;
  };
  const joins = planJoins(graph, isQuiet, onlyConsumer);
  const written = new Set<SymbolicTensor>();
  const order = new Map(graph.nodes.map((node, index) => [node, index]));
  /** The other summand, if the sum is of two and it has been computed before this call. */
  const otherSummand = (sum: Node, last: Node, call: Node): SymbolicTensor | undefined => {
    const [a, b, ...more] = sum.inputs;
    if (a === undefined || b === undefined || more.length > 0) return undefined;
    const other = a.node === last ? b : a;
    return (order.get(other.node) ?? -1) < (order.get(call) ?? -1) ? other : undefined;
  };

  for (const node of graph.nodes) {
    if (taken.has(node) || node.inputs.length === 0) continue;
    const { layer } = node;
    let last = node;
    let batchNorm: BatchNormalization | undefined;
    let residual: SymbolicTensor | undefined;
    let relu = false;
    const take = (next: Node): void => {
      taken.add(next);
      last = next;
    };

    const join = joins.of(node);
    if (join !== undefined) {
      const parts = join.parts.filter(({ input }) => !written.has(input));
      const inputs = parts.map(({ input }) => input);
      if (join.isInner) for (const output of node.outputs) written.add(output);
      const outputs = join.isInner ? [] : node.outputs;
      steps.push({ layer, inputs, outputs, epilogue: {}, parts: parts.map(({ place }) => place) });
      continue;
    }
    if (layer instanceof Conv2D && layer.canFold(context)) {
      const next = onlyConsumer(last);
      if (next?.layer instanceof BatchNormalization && next.layer.canFold(context)) {
        batchNorm = next.layer;
        take(next);
      }
    }
    if (layer instanceof Conv2D && layer.activation === 'linear') {
      const next = onlyConsumer(last);
      if (next?.layer instanceof Add && isQuiet(next)) residual = otherSummand(next, last, node);
      if (next !== undefined && residual !== undefined) take(next);
    }
    if (absorbsRelu(layer)) {
      const next = onlyConsumer(last);
      if (next !== undefined && isPureRelu(next.layer)) {
        relu = true;
        take(next);
      }
    }
    const epilogue = { ...(batchNorm === undefined ? {} : { batchNorm }), relu };
    const [output] = last.outputs;
    const place =
      output !== undefined && residual === undefined && writesAnywhere(layer)
        ? joins.placeOf(output)
        : undefined;
    if (place !== undefined && output !== undefined) {
      written.add(output);
      steps.push({ layer, inputs: node.inputs, outputs: [], epilogue, place });
    } else {
      const step = { layer, inputs: node.inputs, outputs: last.outputs, epilogue };
      steps.push(residual === undefined ? step : { ...step, residual });
    }
  }
  return steps;
}

function absorbsRelu(layer: Layer): boolean {
  if (layer instanceof BatchNormalization) return true;
  return layer instanceof ActivatedLayer && layer.activation === 'linear' && layer.weights.length > 0;
}

/** Whether the layer's kernel can write its result into some channels of a wider tensor. */
function writesAnywhere(layer: Layer): boolean {
  return layer instanceof Conv2D && (layer.activation === 'linear' || layer.activation === 'relu');
}

/** The calls through which gradients flow. */
function differentiatedNodes(
  graph: Graph,
  context: CallContext,
  isWatched: (input: SymbolicTensor) => boolean,
): ReadonlySet<Node> {
  const found = new Set<Node>();
  const watched = new Set(graph.inputs.filter(isWatched));
  for (const node of graph.nodes) {
    const reached = node.inputs.some((input) => watched.has(input) || found.has(input.node));
    if (reached || node.layer.weights.some((weight) => context.trains(weight))) found.add(node);
  }
  return found;
}

/** Who uses each tensor; being an output of the graph counts as a use by someone who cannot take anything in. */
function consumersOf(graph: Graph): Map<SymbolicTensor, (Node | undefined)[]> {
  const consumers = new Map<SymbolicTensor, (Node | undefined)[]>();
  const note = (value: SymbolicTensor, user: Node | undefined): void => {
    const users = consumers.get(value);
    if (users === undefined) consumers.set(value, [user]);
    else users.push(user);
  };
  for (const node of graph.nodes) for (const input of node.inputs) note(input, node);
  for (const output of graph.outputs) note(output, undefined);
  return consumers;
}
