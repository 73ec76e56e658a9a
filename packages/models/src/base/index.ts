export type { StatusOptions } from './status.ts';
export { openBase, type Base, type OpenBaseOptions } from './open-base.ts';
export {
  openImageClassifier,
  type ImageClassifier,
  type OpenImageClassifierOptions,
} from './open-image-classifier.ts';
