export { openClassifierFile, saveClassifierFile } from './classifier-file.ts';
export type { ClassifierInfo } from './classifier-info.ts';
export { saveModel } from './save-model.ts';
