import type { AugmentationLayer } from '../layers/augmentation/augmentation-layer.ts';
import { uniformAt } from '../layers/random.ts';
import type { Dataset } from '../tensor/host-array.ts';
import { flowTransforms } from './flow.ts';

/**
 * The dataset with augmentation layers applied to its uint8 pictures one after the other, before `preprocess`: what
 * the same layers do at the front of a model, as part of the data instead. For training only.
 *
 * What a layer draws for a picture depends on the layer's own seed (or `seed`, where it has none), the layer's place
 * in the list, the epoch and the picture's index.
 */
export function augmentWithLayers(
  dataset: Dataset,
  layers: readonly AugmentationLayer[],
  { seed = 0 }: { readonly seed?: number } = {},
): Dataset {
  return flowTransforms(dataset, 'augmentWithLayers', (size, epoch, picture) =>
    layers.map((layer, place) => {
      let drawn = 0;
      return layer.randomTransform(size, () =>
        uniformAt(layer.ownSeed ?? seed, place, epoch, ...picture, drawn++),
      );
    }),
  );
}
