import { ConvbaseError } from '@convbase/base';

/** How well one class is told from the others. */
export interface ClassScores {
  readonly name: string;
  /** Of the samples said to be of this class, the share that are. */
  readonly precision: number;
  /** Of the samples of this class, the share that were found. */
  readonly recall: number;
  /** The harmonic mean of both. */
  readonly f1: number;
  /** Samples of this class. */
  readonly support: number;
}

export type MeanScores = Pick<ClassScores, 'precision' | 'recall' | 'f1' | 'support'>;

/** A sample that was taken for another class. */
export interface Mistake {
  /** Its row in the labels. */
  readonly index: number;
  readonly truth: number;
  readonly predicted: number;
  /** What the model gave the class it chose. */
  readonly confidence: number;
  /** What it gave the right one. */
  readonly truthProbability: number;
}

export interface Evaluation {
  readonly classNames: readonly string[];
  readonly samples: number;
  readonly accuracy: number;
  /** Samples by truth (row) and prediction (column). */
  readonly confusion: readonly (readonly number[])[];
  readonly classes: readonly ClassScores[];
  /** The plain mean over classes. */
  readonly macro: MeanScores;
  /** The mean over classes, each weighted by its support. */
  readonly weighted: MeanScores;
  /** All mistakes, the worst first: those where the right class got least. */
  readonly mistakes: readonly Mistake[];
  /** Scores that are 0 because they would be 0/0, in words. */
  readonly notes: readonly string[];
}

/**
 * Compares predictions with labels as scikit-learn's `classification_report` does: 0/0 counts as 0, with a note.
 *
 * @param labels class of each sample, counted from 0
 * @param probabilities one row per sample: a column for each class, or for two classes the second's alone (sigmoid)
 * Errors: `evaluation/shape`, `evaluation/label`.
 */
export function evaluationOf(
  labels: ArrayLike<number>,
  _probabilities: ArrayLike<number>,
  _classNames: readonly string[],
): Evaluation {
  throw new ConvbaseError('evaluation/unsupported', `${labels.length} samples cannot be judged yet`);
}
