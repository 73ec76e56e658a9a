export type { AffineMatrix, FillMode, ImageTransform, Interpolation } from '@convbase/core-gpu';
export type { ImageSize } from './affine.ts';
export { ImageDataGenerator, type ImageDataGeneratorConfig } from './image-data-generator.ts';
export { imageTransform, type FillOptions, type TransformParameters } from './transform-parameters.ts';
export { augmentWithLayers } from './layers-flow.ts';
