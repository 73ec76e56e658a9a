export { FeatureWriter } from './feature-writer.ts';
export { Features } from './features.ts';
export {
  type FeatureManifest,
  type FeatureRecipe,
  listingChecksum,
  readManifest,
  recipeDifference,
} from './manifest.ts';
export { featureBatches, type FeatureBatchOptions, type FeatureDataset } from './feature-batches.ts';
