export type { RunObserver, StagePlace } from './observer.ts';
export { refuseNaN } from './refuse-nan.ts';
export type { RunRecord } from './run-folder.ts';
export { runRecipe, type RunOptions, type RunResult } from './run-recipe.ts';
export { describeStages } from './words.ts';
