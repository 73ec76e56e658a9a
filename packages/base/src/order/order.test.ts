import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from './random.ts';
import { shuffle, shuffledIndices } from './shuffle.ts';

const seed = fc.maxSafeInteger();

describe('Random', () => {
  test('gives the numbers of the published C code', () => {
    const random = Random.fromState([1, 2, 3, 4]);
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
    ];
    expect(expected.map(() => random.next())).toEqual(expected);
  });

  test('its sequences stay the same in every version', () => {
    const random = new Random(1337, 1);
    expect([random.next(), random.next(), random.next()]).toEqual([1990138445, 2340825712, 3774106828]);
  });

  test('every seed counts, negative and large ones and their order too', () => {
    const seeds = [[0], [1], [-1], [2 ** 32], [2 ** 32 + 1], [0, 0], [0, 1], [1, 0], [2 ** 53 - 1], []];
    const firsts = seeds.map((each) => new Random(...each).next());
    expect(new Set(firsts).size).toBe(seeds.length);
    expect(() => new Random(0.5)).toThrow(RangeError);
  });

  test('below() is uniform', () => {
    const random = new Random(5);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) {
      const value = random.below(6);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    // Chi-square with 5 degrees of freedom: 20.5 is exceeded once in a thousand seeds, and this seed is fixed.
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(20.5);
    expect(() => random.below(0)).toThrow(RangeError);
  });
});

describe('shuffle', () => {
  test('is a permutation, the same for the same seeds', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), seed, seed, (count, a, b) => {
        const order = shuffledIndices(count, a, b);
        expect([...order].sort((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(shuffledIndices(count, a, b)).toEqual(order);
      }),
    );
  });

  test('its orders stay the same in every version', () => {
    expect(shuffle(['a', 'b', 'c', 'd', 'e', 'f'], 1, 2)).toEqual(['c', 'f', 'd', 'a', 'b', 'e']);
  });

  test('another epoch has another order', () => {
    expect(shuffledIndices(100, 1, 1)).not.toEqual(shuffledIndices(100, 1, 2));
  });

  test('every order of three comes up about equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const key = shuffledIndices(3, i).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(20.5);
  });
});
