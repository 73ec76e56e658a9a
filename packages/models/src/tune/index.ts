export { describeProblem, problemsOf, type ModelProblem } from './problems-of.ts';
export { tuneText } from './tables.ts';
export { tuneModel, type TunedModelProblem, type TuneModelOptions } from './tune-model.ts';
