export { trainHead, type TrainHeadOptions } from './train-head.ts';
export { Classifier, rankRows, type Prediction } from './classifier.ts';
export { openClassifierBase, type ClassifierBaseOptions } from './classifier-base.ts';
export { CLASSIFIER_FILE, isClassifier, openClassifier, type WholeClassifier } from './open-classifier.ts';
export type { ClassifierConfig } from './config.ts';
export { buildHead, classProbabilities, headLoss, type HeadConfig } from './head.ts';
