import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import type { Batch, PredictConfig } from '@convbase/layers';
import type { Base } from './open-base.ts';

/** Features of one batch of pictures. */
export interface FeatureBatch<B extends Batch> {
  /** `[n, ...featureShape]`, row after row. */
  readonly features: Float32Array;
  readonly shape: readonly number[];
  /** The batch as it was given, with whatever travels in it besides `x`. */
  readonly batch: B;
}

/**
 * Shape of one picture's features.
 *
 * @param size height and width of the pictures
 * @throws ConvbaseError `base/shape` where the layer leaves it open; those of layers that such a size does not fit
 */
export function featureShape(base: Base, [height, width]: readonly [number, number]): number[] {
  const channels = base.model.inputs[0]?.shape[3] ?? 3;
  const [shape = []] = base.model.outputShapes([[null, height, width, channels]]);
  return shape.slice(1).map((size) => {
    if (size !== null) return size;
    throw new ConvbaseError('base/shape', `the shape of layer '${base.layer}' is open`, {
      where: base.spec,
      fix: 'Name another layer with --layer.',
    });
  });
}

/**
 * Features of pictures, batch by batch in order. The GPU works on one batch while the next is being made ready.
 *
 * @param batches pictures as `[n, height, width, 3]`, such as the batches of `pictureBatches`
 */
export async function* extractFeatures<B extends Batch>(
  base: Base,
  gpu: Gpu,
  batches: AsyncIterable<B>,
  options: PredictConfig = {},
): AsyncGenerator<FeatureBatch<B>> {
  base.model.to(gpu);
  for await (const { batch, outputs } of base.model.predictBatches({ batches: () => batches }, options)) {
    const [output] = outputs;
    if (!(output?.data instanceof Float32Array)) throw new TypeError('features must be float32');
    // predictBatches hands back the very objects it was given.
    yield { features: output.data, shape: output.shape, batch: batch as B };
  }
}
