import type { ImageTransform } from '@convbase/core-gpu';
import type { ImageSize } from '../../augmentation/affine.ts';
import { augment } from '../../ops/augment.ts';
import { dims4 } from '../../ops/dims.ts';
import { identity } from '../../ops/reshape.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CallContext } from '../context.ts';
import { UnaryLayer, type LayerConfig } from '../layer.ts';
import { namedSeed, uniformAt } from '../random.ts';

export interface AugmentationConfig extends LayerConfig {
  /** Another seed draws other transforms; when left out, the model's seed and the layer's name decide. */
  readonly seed?: number;
}

/**
 * A layer that does something random to each picture in training and nothing otherwise, as Keras' preprocessing
 * layers do. What it does to the k-th picture that it sees depends on its seed and k alone. No gradient flows
 * through it.
 */
export abstract class AugmentationLayer extends UnaryLayer {
  override readonly stochastic = true;
  override readonly differentiable = false;
  /** The seed that was given to the layer itself. */
  readonly ownSeed: number | undefined;
  #seed: number;
  #offset = 0;

  constructor(className: string, config: AugmentationConfig) {
    super(className, config);
    this.ownSeed = config.seed;
    this.#seed = config.seed ?? namedSeed(0, this.name);
  }

  /** What to do to one picture; `random` draws numbers of [0, 1) from its own stream. */
  abstract randomTransform(size: ImageSize, random: () => number): ImageTransform;

  /** Starts with the first picture's transform again. */
  override seed(value: number): void {
    this.#seed = this.ownSeed ?? namedSeed(value, this.name);
    this.#offset = 0;
  }

  /** How many pictures have been seen in training. */
  override get randomOffset(): number {
    return this.#offset;
  }

  override set randomOffset(value: number) {
    this.#offset = value;
  }

  protected outputShape(input: Shape): Shape {
    return this.singleShape([input], 4);
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    if (!context.training) return identity(x, context.tape);
    const [n, height, width] = dims4(x);
    const transforms = Array.from({ length: n }, (_, row) => {
      let drawn = 0;
      const picture = this.#offset + row;
      return this.randomTransform({ height, width }, () => uniformAt(this.#seed, picture, drawn++));
    });
    this.#offset += n;
    return augment(x, transforms);
  }
}

/** A number of [low, high). */
export function uniform(random: () => number, [low, high]: readonly [number, number]): number {
  return low + (high - low) * random();
}
