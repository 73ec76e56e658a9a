import { isPureRelu } from '../layers/activation.ts';
import { ActivatedLayer, type Epilogue } from '../layers/activated.ts';
import { BatchNormalization } from '../layers/batch-normalization.ts';
import type { CallContext } from '../layers/context.ts';
import { Conv2D } from '../layers/conv2d.ts';
import type { Layer, Node, SymbolicTensor } from '../layers/layer.ts';
import type { Graph } from './graph.ts';

/** One thing to compute: a call, or a call together with those behind it that its kernel can do as well. */
export interface Step {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  /** What comes out: the outputs of the last call taken in. */
  readonly outputs: readonly SymbolicTensor[];
  readonly epilogue: Epilogue;
}

/**
 * What to compute for a graph's outputs, in order.
 *
 * A call is taken into the one before it when nobody else sees what is between them: a relu into a convolution, dense
 * layer or normalisation, and a normalisation with constant statistics into a convolution whose weights are not being
 * trained. What is asked for as an output is always computed by itself.
 */
export function planSteps(graph: Graph, context: CallContext): readonly Step[] {
  const consumers = consumersOf(graph);
  const taken = new Set<Node>();
  const steps: Step[] = [];

  /** The only call that uses the node's output, if nobody else wants to see it. */
  const onlyConsumer = (node: Node): Node | undefined => {
    const [output, ...more] = node.outputs;
    if (output === undefined || more.length > 0) return undefined;
    const users = consumers.get(output) ?? [];
    return users.length === 1 ? users[0] : undefined;
  };

  for (const node of graph.nodes) {
    if (taken.has(node) || node.inputs.length === 0) continue;
    const { layer } = node;
    let last = node;
    let batchNorm: BatchNormalization | undefined;
    let relu = false;
    const take = (next: Node): void => {
      taken.add(next);
      last = next;
    };

    if (layer instanceof Conv2D && layer.canFold(context)) {
      const next = onlyConsumer(last);
      if (next?.layer instanceof BatchNormalization && next.layer.canFold(context)) {
        batchNorm = next.layer;
        take(next);
      }
    }
    if (absorbsRelu(layer)) {
      const next = onlyConsumer(last);
      if (next !== undefined && isPureRelu(next.layer)) {
        relu = true;
        take(next);
      }
    }
    const epilogue = { ...(batchNorm === undefined ? {} : { batchNorm }), relu };
    steps.push({ layer, inputs: node.inputs, outputs: last.outputs, epilogue });
  }
  return steps;
}

function absorbsRelu(layer: Layer): boolean {
  if (layer instanceof BatchNormalization) return true;
  return layer instanceof ActivatedLayer && layer.activation === 'linear' && layer.weights.length > 0;
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
