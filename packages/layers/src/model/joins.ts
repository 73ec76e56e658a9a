import type { Node, SymbolicTensor } from '../layers/layer.ts';
import type { Graph } from './graph.ts';

/** Some channels of a joined tensor. */
export interface Place {
  /** The tensor that a concatenation makes; of one inside another, that of the outer. */
  readonly of: SymbolicTensor;
  /** How many channels the joined tensor has, and where these begin. */
  readonly channels: number;
  readonly offset: number;
}

/** How one concatenation is put together. */
interface Join {
  readonly parts: readonly { readonly input: SymbolicTensor; readonly place: Place }[];
  /** Whether it goes into the place of another one, and makes no tensor of its own. */
  readonly isInner: boolean;
}

export interface Joins {
  /** Undefined for calls that join nothing, and for those that have to make a tensor in the usual way. */
  of(node: Node): Join | undefined;
  /** Where the only user of a tensor wants it to be. */
  placeOf(value: SymbolicTensor): Place | undefined;
}

/**
 * Which channels of which tensor each input of a concatenation becomes, so that whoever computes it may write it there
 * and nothing is copied. A concatenation that is used by another one alone lies within that.
 *
 * @param isJoin whether a call joins its inputs along the last axis, where no gradient passes
 */
export function planJoins(
  graph: Graph,
  isJoin: (node: Node) => boolean,
  onlyConsumer: (node: Node) => Node | undefined,
): Joins {
  const joins = new Map<Node, Join>();
  const places = new Map<SymbolicTensor, Place>();
  // From the outputs on, so that an outer concatenation comes before the inner.
  for (const node of graph.nodes.toReversed()) {
    const [output] = node.outputs;
    const channels = output?.shape.at(-1) ?? null;
    if (output === undefined || channels === null || !isJoin(node)) continue;
    if (node.inputs.some(({ shape }) => shape.at(-1) === null)) continue;
    const outer = places.get(output);
    const whole = outer ?? { of: output, channels, offset: 0 };
    let { offset } = whole;
    const parts = node.inputs.map((input) => {
      const place = { ...whole, offset };
      offset += input.shape.at(-1) ?? 0;
      if (onlyConsumer(input.node) === node) places.set(input, place);
      return { input, place };
    });
    joins.set(node, { parts, isInner: outer !== undefined });
  }
  return { of: (node) => joins.get(node), placeOf: (value) => places.get(value) };
}
