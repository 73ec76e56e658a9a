import type { CallContext } from '../layers/context.ts';
import type { Foldable, FollowsAs } from '../layers/fusion.ts';
import type { Layer, Node, SymbolicTensor } from '../layers/layer.ts';
import type { Graph } from './graph.ts';
import { planJoins, type Place } from './joins.ts';

/** One thing to compute: a call, or a call together with those behind it that its kernel can do as well. */
export interface Step {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  /** What comes out: the outputs of the last call taken in. Nothing for what goes into its place in a joined tensor. */
  readonly outputs: readonly SymbolicTensor[];
  /** The map multiplied into the layer's weights. */
  readonly fold?: Foldable;
  /** What is added to the layer's result before the relu. */
  readonly residual?: SymbolicTensor;
  readonly relu?: boolean;
  /** Where the layer writes, in place of making its output. */
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
 * A call is taken into the one before it when nobody else sees what is between them, that one's layer says that it takes in
 * such work and this one's that it can be done so (see `layers/fusion.ts`): a relu into a convolution, dense layer or
 * normalisation, a normalisation with constant statistics into a convolution whose weights are not being trained. Where
 * no gradient passes, a sum of two is taken into the convolution that makes one of them, and a convolution writes
 * straight into its channels of a concatenation. What is asked for as an output is always computed by itself.
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
  const follows = (node: Node): FollowsAs | null => node.layer.followsAs(context);
  const isJoin = (node: Node): boolean => isQuiet(node) && follows(node)?.kind === 'join';
  const joins = planJoins(graph, isJoin, onlyConsumer);
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
    const join = joins.of(node);
    if (join !== undefined) {
      const parts = join.parts.filter(({ input }) => !written.has(input));
      const inputs = parts.map(({ input }) => input);
      if (join.isInner) for (const output of node.outputs) written.add(output);
      const outputs = join.isInner ? [] : node.outputs;
      steps.push({ layer, inputs, outputs, parts: parts.map(({ place }) => place) });
      continue;
    }

    const takesIn = layer.takesIn(context);
    let last = node;
    /** The call behind what has been taken in so far, if it alone sees that, and as what it could be taken in too. */
    const following = (): { next?: Node | undefined; as?: FollowsAs | null } => {
      const next = onlyConsumer(last);
      return next === undefined ? {} : { next, as: follows(next) };
    };
    const take = (next: Node): void => {
      taken.add(next);
      last = next;
    };
    let fold: Foldable | undefined;
    let residual: SymbolicTensor | undefined;
    let relu = false;
    if (takesIn.fold === true) {
      const { next, as } = following();
      if (next !== undefined && as?.kind === 'fold') {
        fold = as.map;
        take(next);
      }
    }
    if (takesIn.residual === true) {
      const { next, as } = following();
      if (next !== undefined && as?.kind === 'sum' && isQuiet(next)) {
        residual = otherSummand(next, last, node);
        if (residual !== undefined) take(next);
      }
    }
    if (takesIn.relu === true) {
      const { next, as } = following();
      if (next !== undefined && as?.kind === 'relu') {
        relu = true;
        take(next);
      }
    }
    const [output] = last.outputs;
    const isFree = takesIn.slot === true && residual === undefined && output !== undefined;
    const place = isFree ? joins.placeOf(output) : undefined;
    if (isFree && place !== undefined) written.add(output);
    steps.push({
      layer,
      inputs: node.inputs,
      outputs: place === undefined ? last.outputs : [],
      ...(fold && { fold }),
      ...(residual && { residual }),
      ...(relu && { relu }),
      ...(place && { place }),
    });
  }
  return steps;
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
