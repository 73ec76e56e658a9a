import { UnaryLayer, type LayerConfig } from './layer.ts';
import { wholeOption } from './numbers.ts';
import { namedSeed } from './random.ts';

export interface RandomLayerConfig extends LayerConfig {
  /** Another seed draws other numbers; when left out, the model's seed and the layer's name decide. */
  readonly seed?: number;
}

/** A layer that draws random numbers in training: what is drawn depends on its seed and what it drew before alone. */
export abstract class RandomLayer extends UnaryLayer {
  override readonly stochastic = true;
  /** The seed that was given to the layer itself. */
  readonly ownSeed: number | undefined;
  #seed: number;
  #offset = 0;

  constructor(className: string, config: RandomLayerConfig) {
    super(className, config);
    this.ownSeed = config.seed === undefined ? undefined : wholeOption(config.seed, this.named('seed'), 0);
    this.#seed = config.seed ?? namedSeed(0, this.name);
  }

  /** Starts the stream anew. */
  override seed(value: number): void {
    this.#seed = this.ownSeed ?? namedSeed(value, this.name);
    this.#offset = 0;
  }

  override get randomOffset(): number {
    return this.#offset;
  }

  override set randomOffset(value: number) {
    this.#offset = value;
  }

  /** Where the next `count` places of the stream begin, which are used up by this. */
  protected draw(count: number): { readonly seed: number; readonly offset: number } {
    const offset = this.#offset;
    this.#offset += count;
    return { seed: this.#seed, offset };
  }
}
