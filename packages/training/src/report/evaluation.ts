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
  probabilities: ArrayLike<number>,
  classNames: readonly string[],
): Evaluation {
  const classes = classNames.length;
  const samples = labels.length;
  const rowOf = probabilityRows(probabilities, samples, classes);
  const confusion = classNames.map(() => classNames.map(() => 0));
  const mistakes: Mistake[] = [];
  let unclear = 0;
  for (let index = 0; index < samples; index++) {
    const truth = labels[index] ?? Number.NaN;
    const row = confusion[truth];
    if (row === undefined) {
      throw new ConvbaseError('evaluation/label', `sample ${index} has the label ${truth}`, {
        fix: `Labels count from 0 to ${classes - 1}.`,
      });
    }
    const probability = rowOf(index);
    if (probability.some(Number.isNaN)) unclear++;
    const predicted = argmax(probability);
    row[predicted] = (row[predicted] ?? 0) + 1;
    if (predicted === truth) continue;
    const confidence = probability[predicted] ?? 0;
    mistakes.push({ index, truth, predicted, confidence, truthProbability: probability[truth] ?? 0 });
  }
  mistakes.sort((a, b) => (a.truthProbability || 0) - (b.truthProbability || 0) || a.index - b.index);
  const notes: string[] = [];
  if (unclear > 0) notes.push(`For ${unclear} of ${samples} samples the model gave no numbers (NaN).`);
  const scores = classNames.map((name, index) => scoresOf(name, index, confusion, notes));
  return {
    classNames,
    samples,
    accuracy: samples === 0 ? 0 : (samples - mistakes.length) / samples,
    confusion,
    classes: scores,
    macro: mean(scores, () => 1),
    weighted: mean(scores, (one) => one.support),
    mistakes,
    notes,
  };
}

/** A function that gives each sample's probabilities, one for each class. */
function probabilityRows(
  probabilities: ArrayLike<number>,
  samples: number,
  classes: number,
): (index: number) => readonly number[] {
  if (probabilities.length === samples * classes) {
    return (index) => Array.from({ length: classes }, (_, at) => probabilities[index * classes + at] ?? 0);
  }
  if (classes === 2 && probabilities.length === samples) {
    // On the line between both is the first class, as in Keras' binary accuracy.
    return (index) => [1 - (probabilities[index] ?? 0), probabilities[index] ?? 0];
  }
  throw new ConvbaseError(
    'evaluation/shape',
    `${probabilities.length} probabilities do not fit ${samples} samples of ${classes} classes`,
  );
}

/** The first of the largest. */
function argmax(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > (values[best] ?? 0) ? index : best), 0);
}

function scoresOf(
  name: string,
  index: number,
  confusion: readonly (readonly number[])[],
  notes: string[],
): ClassScores {
  const right = confusion[index]?.[index] ?? 0;
  const support = sum(confusion[index] ?? []);
  const predicted = sum(confusion.map((row) => row[index] ?? 0));
  if (predicted === 0) notes.push(`Nothing was taken for ${name}: its precision counts as 0.`);
  if (support === 0) notes.push(`There is no sample of ${name}: its recall counts as 0.`);
  return {
    name,
    precision: predicted === 0 ? 0 : right / predicted,
    recall: support === 0 ? 0 : right / support,
    f1: support + predicted === 0 ? 0 : (2 * right) / (support + predicted),
    support,
  };
}

function mean(scores: readonly ClassScores[], weightOf: (one: ClassScores) => number): MeanScores {
  const total = sum(scores.map(weightOf));
  const of = (value: (one: ClassScores) => number): number =>
    total === 0 ? 0 : sum(scores.map((one) => value(one) * weightOf(one))) / total;
  return {
    precision: of((one) => one.precision),
    recall: of((one) => one.recall),
    f1: of((one) => one.f1),
    support: sum(scores.map((one) => one.support)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
