import { describe, expect, test } from 'vitest';
import { MemorySource, writeSafetensors } from '../formats/index.ts';
import { readGoldenFile, type GoldenFile } from './golden-file.ts';
import { caseLine, caseText, judge, relativeError, storageRounding, type ComputedTensor } from './judge.ts';

const cases = JSON.stringify([{ name: 'a', op: 'relu' }]);

function golden(values: number[]): GoldenFile {
  const bytes = writeSafetensors(
    { 'a.y': { shape: [values.length], data: Float32Array.from(values) } },
    { cases },
  );
  return readGoldenFile(new MemorySource(bytes, 'memory'), 'file');
}
const verdict = (
  expected: number[],
  actual: number[] | undefined,
  tolerance: number,
): ReturnType<typeof judge> =>
  judge(
    'file/a',
    golden(expected),
    [{ tensor: 'a.y', tolerance }],
    new Map(
      actual === undefined ? [] : [['a.y', { shape: [actual.length], data: Float32Array.from(actual) }]],
    ),
  );

describe('relativeError', () => {
  test('is the L2 norm of the difference over that of what is expected', () => {
    expect(relativeError(Float32Array.of(3, 5), Float32Array.of(3, 4))).toBe(0.2);
    expect(relativeError(Float32Array.of(0, 2), Float32Array.of(0, 0))).toBe(2);
    expect(relativeError(Float32Array.of(Number.NaN), Float32Array.of(1))).toBeNaN();
    expect(relativeError(Float32Array.of(1), Float32Array.of(Number.NaN))).toBeNaN();
  });
});

describe('judge', () => {
  test('passes what is close enough, and fails what is further off', () => {
    expect(verdict([1, 2], [1, 2.00001], 1e-5)).toMatchObject({ name: 'file/a', pass: true });
    expect(verdict([1, 2], [1, 2.001], 1e-5)).toMatchObject({ pass: false });
  });

  test.each([
    ['not computed', undefined],
    ['of another size', [1, 2, 3]],
    ['not a number', [1, Number.NaN]],
  ])('fails what is %s as NaN, written as text', (_, actual) => {
    const result = verdict([1, 2], actual, 1e9);
    expect(result.pass).toBe(false);
    expect(JSON.parse(caseLine(result))).toEqual({
      name: 'file/a',
      relativeError: { 'a.y': 'NaN' },
      pass: false,
    });
    expect(caseText(result)).toMatch(/FAIL file\/a\n {2}a\.y +NaN/);
  });

  test('fails what is infinite', () => {
    const result = verdict([1, 2], [1, Infinity], 1e9);
    expect(result.pass).toBe(false);
    expect(caseLine(result)).toContain('"Infinity"');
  });

  test('compares bits where nothing may change', () => {
    expect(verdict([0, 2], [0, 2], 0).pass).toBe(true);
    expect(verdict([0, 2], [-0, 2], 0).pass).toBe(false);
    expect(verdict([1, 2], [1.0000001, 2], 0).pass).toBe(false);
    expect(caseText(verdict([0, 2], [-0, 2], 0))).toMatch(/0\.0e\+0 {2}not the same bits/);
    expect(verdict([Number.NaN, 2], [Number.NaN, 2], 0).pass).toBe(false);
  });

  test('allows what float32 itself rounds away, and says so', () => {
    const file = golden([1, 2]);
    const expected = [{ tensor: 'a.y', tolerance: 1e-5 }];
    const computed = (rounding: number): Map<string, ComputedTensor> =>
      new Map([['a.y', { shape: [2], data: Float32Array.of(1, 2.001), rounding }]]);
    expect(judge('file/a', file, expected, computed(0.0011))).toMatchObject({ pass: true });
    expect(judge('file/a', file, expected, computed(0.0009))).toMatchObject({ pass: false });
    expect(judge('file/a', file, expected, computed(Math.sqrt(5))).tolerance['a.y']).toBeCloseTo(
      1 + 1e-5,
      12,
    );
  });

  test('a case with an error fails whatever was computed', () => {
    const result = judge('file/a', golden([1]), [], new Map(), 'lost');
    expect(result).toMatchObject({ pass: false, error: 'lost' });
  });
});

describe('storageRounding', () => {
  test('is what adding small numbers to float32 weights loses', () => {
    const weights = new Float32Array(4096).fill(0.75);
    const step = (i: number, k: number): number => 1e-5 * Math.sin(7 * i + 3 * k);
    const start = Float64Array.from(weights);
    let lost = 0;
    weights.forEach((_, i) => {
      let exact = start[i] ?? 0;
      for (let k = 0; k < 5; k++) {
        exact += step(i, k);
        weights[i] = (weights[i] ?? 0) + step(i, k);
      }
      lost += ((weights[i] ?? 0) - exact) ** 2;
    });
    expect(Math.sqrt(lost) / storageRounding(weights, 5)).toBeCloseTo(1, 1);
    expect(storageRounding(Float32Array.of(0), 12)).toBe(2 ** -149);
  });
});

describe('readGoldenFile', () => {
  const read = (metadata: Record<string, string>): unknown =>
    readGoldenFile(new MemorySource(writeSafetensors({}, metadata), 'memory'), 'file');

  test.each([{}, { cases: '{' }, { cases: '[{"op": "relu"}]' }, { cases: '{"kind": "other"}' }])(
    'refuses %j',
    (metadata) => {
      expect(() => read(metadata)).toThrow(
        expect.objectContaining({ code: 'verify/format', where: 'memory' }),
      );
    },
  );

  test('refuses two cases of one name', () => {
    expect(() =>
      read({
        cases: JSON.stringify([
          { name: 'a', op: 'x' },
          { name: 'a', op: 'y' },
        ]),
      }),
    ).toThrow(/one name/);
  });
});
