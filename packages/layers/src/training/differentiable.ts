import { ConvbaseError } from '@convbase/base';
import type { Layer, Node } from '../layers/layer.ts';
import type { Variable } from '../layers/variable.ts';
import type { Network } from './network.ts';

/**
 * Throws `training/no-gradient`, naming the layer, when a layer without a gradient lies between something trainable
 * and the loss.
 */
export function checkDifferentiable(network: Network): void {
  const trained = new Set<Variable>(network.trainableWeights);
  const reached = new Map<Node, boolean>();

  /** Whether gradients flow into this call's output. Iterative in the order of depth would be the same. */
  const visit = (root: Node): boolean => {
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const missing = node.inputs.map((input) => input.node).filter((before) => !reached.has(before));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      const fromInputs = node.inputs.some((input) => reached.get(input.node) === true);
      if (!reached.has(node)) check(node.layer, fromInputs || trains(node.layer));
      reached.set(node, fromInputs || trains(node.layer));
    }
    return reached.get(root) === true;
  };
  const trains = (layer: Layer): boolean => layer.weights.some((weight) => trained.has(weight));
  const check = (layer: Layer, needed: boolean): void => {
    const culprit = needed ? withoutGradient(layer) : undefined;
    if (culprit === undefined) return;
    throw new ConvbaseError(
      'training/no-gradient',
      'the layer has no gradient, but something before it is to be trained',
      {
        where: `${culprit.className} ${culprit.name}`,
        fix: 'Freeze every layer up to this one: `layer.trainable = false`.',
      },
    );
  };
  for (const output of network.outputs) visit(output.node);
}

function withoutGradient(layer: Layer): Layer | undefined {
  if (!layer.differentiable) return layer;
  for (const inner of layer.sublayers) {
    const found = withoutGradient(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
