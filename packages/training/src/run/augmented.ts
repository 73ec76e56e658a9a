import type { PictureDataset } from '@convbase/data';
import {
  augmentWithLayers,
  ImageDataGenerator,
  NameScope,
  RandomBrightness,
  RandomContrast,
  RandomFlip,
  RandomRotation,
  RandomTranslation,
  RandomZoom,
  type AugmentationLayer,
  type Dataset,
} from '@convbase/layers';
import type { RecipeAugmentation } from '../recipe/index.ts';
import { given } from './given.ts';

/** The pictures to train with, another one of each in every epoch. The same seed draws the same. */
export function augmented(pictures: PictureDataset, augmentation: RecipeAugmentation, seed: number): Dataset {
  if ('generator' in augmentation) {
    return new ImageDataGenerator({ ...given(augmentation.generator), seed }).flow(pictures);
  }
  const names = new NameScope();
  return augmentWithLayers(
    pictures,
    augmentation.layers.map((config) => augmentationLayer(config, names)),
    { seed },
  );
}

type LayerConfig = Extract<RecipeAugmentation, { layers: unknown }>['layers'][number];

function augmentationLayer(config: LayerConfig, names: NameScope): AugmentationLayer {
  switch (config.layer) {
    case 'RandomFlip':
      return new RandomFlip({ ...given(config), names });
    case 'RandomRotation':
      return new RandomRotation({ ...given(config), names });
    case 'RandomZoom':
      return new RandomZoom({ ...given(config), names });
    case 'RandomTranslation':
      return new RandomTranslation({ ...given(config), names });
    case 'RandomContrast':
      return new RandomContrast({ ...given(config), names });
    case 'RandomBrightness':
      return new RandomBrightness({ ...given(config), names });
  }
}
