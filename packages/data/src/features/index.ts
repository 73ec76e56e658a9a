export { FeatureWriter } from './feature-writer.ts';
export { Features, readManifest } from './features.ts';
export { type FeatureManifest, type FeatureRecipe, listingChecksum, recipeDifference } from './manifest.ts';
