export {
  learningCurves,
  type LearningCurve,
  type LearningCurveOptions,
  writeLearningCurves,
} from './learning-curves.ts';
