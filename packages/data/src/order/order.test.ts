import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelsOf, type PictureSet, subset } from '../picture/picture-set.ts';
import { split } from './split.ts';
import { takeEvenly } from './take.ts';

const seed = fc.maxSafeInteger();

/** A set that has labels and names only. */
function labelled(labels: readonly number[], classes = 3): PictureSet {
  return {
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
    length: labels.length,
    name: (index) => `picture ${index}`,
    label: (index) => labels[index] ?? NaN,
    picture: () => Promise.reject(new Error('not needed')),
  };
}

describe('split', () => {
  test('takes the same share of each class, every picture once, in order', () => {
    const labels = fc.array(fc.nat({ max: 2 }), { minLength: 20, maxLength: 80 });
    fc.assert(
      fc.property(labels, seed, (list, number) => {
        const counts = [0, 1, 2].map((label) => list.filter((each) => each === label).length);
        fc.pre(counts.every((count) => count !== 1));
        const { train, validation } = split(labelled(list), 0.3, number);
        const names = (set: PictureSet) => Array.from({ length: set.length }, (_, i) => set.name(i));
        const place = (name: string) => Number(name.slice(8));
        for (const part of [train, validation]) {
          const places = names(part).map(place);
          expect(places).toEqual([...places].sort((a, b) => a - b));
          expect(places.map((at) => list[at])).toEqual([...labelsOf(part)]);
        }
        expect([...names(train), ...names(validation)].map(place).sort((a, b) => a - b)).toEqual([
          ...list.keys(),
        ]);
        const taken = [0, 1, 2].map((label) => labelsOf(validation).filter((each) => each === label).length);
        expect(taken).toEqual(counts.map((count) => Math.round(count * 0.3)));
      }),
    );
  });

  test('depends on the seed alone', () => {
    const set = labelled(Array.from({ length: 60 }, (_, i) => i % 3));
    const names = (number: number) =>
      Array.from({ length: 12 }, (_, i) => split(set, 0.2, number).validation.name(i));
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
  });

  test('refuses to leave a class without pictures, or validation empty', () => {
    expect(() => split(labelled([0, 0, 0, 1]), 0.6)).toThrow(/"class 1" is left to train on/);
    expect(() => split(labelled([0, 0, 1, 1]), 0.1)).toThrow(expect.objectContaining({ code: 'data/split' }));
    expect(() => split(labelled([0, 1]), 1)).toThrow(RangeError);
  });
});

test('a subset is what its indices say', () => {
  const part = subset(labelled([2, 1, 0, 1]), [3, 0]);
  expect([part.length, part.name(0), part.label(0), part.name(1), part.label(1)]).toEqual([
    2,
    'picture 3',
    1,
    'picture 0',
    2,
  ]);
  expect(() => part.name(2)).toThrow(RangeError);
  expect(() => subset(labelled([1]), [5]).label(0)).toThrow(RangeError);
});

describe('takeEvenly', () => {
  const set = (labels: readonly number[]): PictureSet => ({
    classNames: ['a', 'b', 'c'],
    length: labels.length,
    name: (index) => String(index),
    label: (index) => labels[index] ?? NaN,
    picture: () => Promise.reject(new Error('not decoded')),
  });
  const names = (taken: PictureSet) => Array.from({ length: taken.length }, (_, i) => taken.name(i));

  test('gives each class its share, first ones first, in the order of the set', () => {
    const labels = [0, 0, 0, 0, 1, 1, 1, 2];
    expect(names(takeEvenly(set(labels), 3))).toEqual(['0', '4', '7']);
    expect(names(takeEvenly(set(labels), 6))).toEqual(['0', '1', '2', '4', '5', '7']);
    expect(names(takeEvenly(set(labels), 100))).toHaveLength(8);
  });

  test('never takes a picture twice, and classes differ by one at most where they have enough', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 1 }), fc.integer({ min: 1, max: 50 }), (labels, count) => {
        const taken = takeEvenly(set(labels), count);
        expect(taken.length).toBe(Math.min(count, labels.length));
        expect(new Set(names(taken)).size).toBe(taken.length);
        const counts = [0, 1, 2].map((label) => ({
          has: labels.filter((other) => other === label).length,
          took: labelsOf(taken).filter((other) => other === label).length,
        }));
        const most = Math.max(...counts.map(({ took }) => took));
        for (const { has, took } of counts) expect(took).toBeGreaterThanOrEqual(Math.min(has, most - 1));
      }),
    );
  });
});
