import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluationOf, type MeanScores } from './evaluation.ts';

interface Scores {
  readonly precision: number;
  readonly recall: number;
  readonly 'f1-score': number;
  readonly support: number;
}

interface Case {
  readonly classNames: string[];
  readonly labels: number[];
  readonly probabilities: number[];
  readonly confusion: number[][];
  readonly report: Record<string, Scores> & { accuracy: number };
}

const cases = JSON.parse(
  readFileSync(new URL('../../fixtures/evaluation.json', import.meta.url), 'utf8'),
) as Case[];

function close(actual: MeanScores | undefined, expected: Scores | undefined): void {
  expect(actual?.precision).toBeCloseTo(expected!.precision, 12);
  expect(actual?.recall).toBeCloseTo(expected!.recall, 12);
  expect(actual?.f1).toBeCloseTo(expected!['f1-score'], 12);
  expect(actual?.support).toBe(expected!.support);
}

describe('evaluationOf', () => {
  it.each(cases)('is what scikit-learn says of $classNames.length classes', (one) => {
    const { classNames, labels, probabilities, confusion, report } = one;
    const result = evaluationOf(labels, Float32Array.from(probabilities), classNames);
    expect(result.confusion).toEqual(confusion);
    expect(result.accuracy).toBeCloseTo(report.accuracy, 12);
    classNames.forEach((name, index) => close(result.classes[index], report[name]));
    close(result.macro, report['macro avg']);
    close(result.weighted, report['weighted avg']);
  });

  it('says where it counts 0/0 as 0', () => {
    const { classes, notes } = evaluationOf([0, 0], [0.9, 0.1, 0, 0.2, 0.8, 0], ['a', 'b', 'c']);
    expect(classes.map(({ precision, recall, f1 }) => [precision, recall, f1])).toEqual([
      [1, 0.5, 2 / 3],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(notes).toEqual([
      'There is no sample of b: its recall counts as 0.',
      'Nothing was taken for c: its precision counts as 0.',
      'There is no sample of c: its recall counts as 0.',
    ]);
  });

  it('takes one column for the second of two classes, and a draw for the first', () => {
    const result = evaluationOf([0, 1, 1, 1], Float32Array.of(0.5, 0.51, 0.25, 0.5), ['cats', 'dogs']);
    expect(result.confusion).toEqual([
      [1, 0],
      [2, 1],
    ]);
    expect(result.mistakes).toEqual([
      { index: 2, truth: 1, predicted: 0, confidence: 0.75, truthProbability: 0.25 },
      { index: 3, truth: 1, predicted: 0, confidence: 0.5, truthProbability: 0.5 },
    ]);
  });

  it('judges nothing, and what is not a number', () => {
    expect(evaluationOf([], [], ['a', 'b'])).toMatchObject({ samples: 0, accuracy: 0, mistakes: [] });
    const result = evaluationOf([1, 0], [Number.NaN, Number.NaN, 0.7, 0.3], ['a', 'b']);
    expect(result.confusion).toEqual([
      [1, 0],
      [1, 0],
    ]);
    expect(result.notes[0]).toBe('For 1 of 2 samples the model gave no numbers (NaN).');
  });

  it('refuses labels and probabilities that do not fit', () => {
    for (const label of [2, -1, 0.5, Number.NaN]) {
      expect(() => evaluationOf([label], [1, 0], ['a', 'b'])).toThrow(/label/);
    }
    expect(() => evaluationOf([0, 1], [1, 0, 0], ['a', 'b'])).toThrow(/do not fit/);
    expect(() => evaluationOf([0, 1], [1, 0], ['a', 'b', 'c'])).toThrow(/do not fit/);
  });
});
