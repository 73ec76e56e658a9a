export { imagenetClassIndex, weightsCatalogue } from './catalogue.ts';
export type { RemoteFile, WeightFile } from './catalogue.ts';
export { imagenetLabels, readLabels } from './labels.ts';
export { resolveModelSource } from './model-source.ts';
export type { ModelSource, ModelSourceOptions } from './model-source.ts';
export { findWeightFile, locateFile, resolveFile, resolveWeights } from './resolve.ts';
export type { FetchOptions, LocatedFile, ResolveWeightsOptions } from './resolve.ts';
