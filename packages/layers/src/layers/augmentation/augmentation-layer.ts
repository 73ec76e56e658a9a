import type { ImageTransform } from '@convbase/core-gpu';
import type { ImageSize } from '../../augmentation/affine.ts';
import { augment } from '../../ops/augment.ts';
import { dims4 } from '../../ops/dims.ts';
import { identity } from '../../ops/reshape.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CallContext } from '../context.ts';
import { RandomLayer, type RandomLayerConfig } from '../random-layer.ts';
import { uniformAt } from '../random.ts';

export type AugmentationConfig = RandomLayerConfig;

/**
 * A layer that does something random to each picture in training and nothing otherwise, as Keras' preprocessing
 * layers do. What it does to the k-th picture that it sees depends on its seed and k alone. No gradient flows
 * through it.
 */
export abstract class AugmentationLayer extends RandomLayer {
  override readonly differentiable = false;

  /** What to do to one picture; `random` draws numbers of [0, 1) from its own stream. */
  abstract randomTransform(size: ImageSize, random: () => number): ImageTransform;

  protected outputShape(input: Shape): Shape {
    return this.singleShape([input], 4);
  }

  protected forward(x: Tensor, context: CallContext): Tensor {
    if (!context.training) return identity(x, context.tape);
    const [n, height, width] = dims4(x);
    const { seed, offset: first } = this.draw(n);
    const transforms = Array.from({ length: n }, (_, row) => {
      let drawn = 0;
      return this.randomTransform({ height, width }, () => uniformAt(seed, first + row, drawn++));
    });
    return augment(x, transforms);
  }
}

/** A number of [low, high). */
export function uniform(random: () => number, [low, high]: readonly [number, number]): number {
  return low + (high - low) * random();
}
