export type { StatusOptions } from './status.ts';
export { openBase, type Base, type OpenBaseOptions } from './open-base.ts';
export { extractFeatures, featureShape, type FeatureBatch } from './extract-features.ts';
export { openArchitecture, type OpenArchitectureOptions } from './open-architecture.ts';
export {
  openImageClassifier,
  type ImageClassifier,
  type OpenImageClassifierOptions,
} from './open-image-classifier.ts';
