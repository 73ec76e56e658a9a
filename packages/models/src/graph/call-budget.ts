import { ConvbaseError } from '@convbase/base';
import { Model, type Layer } from '@convbase/layers';

/** InceptionV3 has 311. */
const MAX_CALLS = 100_000;

/**
 * Counts the calls of layers that a config asks for. A nested model that is called ten times in one that is called ten
 * times, and so on, takes a page of text and 10^16 calls.
 */
export class CallBudget {
  #left = MAX_CALLS;
  readonly #within = new WeakMap<Layer, number>();

  /** To be told of every call before it is made. @throws ConvbaseError `graph/too-large` */
  spend(layer: Layer, model: string): void {
    this.#left -= this.#calls(layer);
    if (this.#left >= 0) return;
    throw new ConvbaseError('graph/too-large', `it calls more than ${MAX_CALLS} layers`, {
      where: `${model}, layer ${layer.name}`,
      fix: 'No network is that large: the file is damaged, or was made to do harm.',
    });
  }

  #calls(layer: Layer): number {
    if (!(layer instanceof Model)) return 1;
    const known = this.#within.get(layer);
    if (known !== undefined) return known;
    const calls = layer.graph.nodes.reduce((sum, node) => sum + this.#calls(node.layer), 0);
    this.#within.set(layer, calls);
    return calls;
  }
}
