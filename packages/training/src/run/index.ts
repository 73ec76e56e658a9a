export type { RunObserver, StagePlace } from './observer.ts';
export type { RunRecord } from './run-folder.ts';
export { runRecipe, type RunOptions, type RunResult } from './run-recipe.ts';
export { describeStages } from './words.ts';
