export {
  classifierBytes,
  isClassifierFile,
  openClassifierFile,
  saveClassifierFile,
} from './classifier-file.ts';
export type { ClassifierInfo } from './classifier-info.ts';
export { checkModelPath, modelBytes, saveModel, tfjsFiles, type FileEnding } from './save-model.ts';
