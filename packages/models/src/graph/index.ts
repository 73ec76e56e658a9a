export { configOf } from './config-of.ts';
export { modelFromConfig, type FromConfigOptions } from './model-from-config.ts';
export { inFile, loadModel, modelFromFile, type LoadModelOptions } from './load-model.ts';
export { loadWeights } from './load-weights.ts';
