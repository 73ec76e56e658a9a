export { profileModel, type ModelProfile, type ProfileOptions } from './profile-model.ts';
export { sumByKernel, sumByLayer, type KernelSum, type LayerSum, type ProfileSum } from './sums.ts';
export { profileText } from './tables.ts';
export { chromeTrace, type ChromeTrace } from './trace.ts';
