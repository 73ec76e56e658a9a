import { expect, test } from 'vitest';
import { parseJson } from './json.ts';

test('JSON is parsed', () => {
  expect(parseJson('{"a": [1, "[[{\\"{", {}], "b": null}')).toEqual({ a: [1, '[[{"{', {}], b: null });
  expect(() => parseJson('{"a": 1')).toThrow(SyntaxError);
});

test('an abyss is refused, a long list of shallow ones is not', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect(() => parseJson(nested(500))).not.toThrow();
  expect(() => parseJson(nested(501))).toThrow(/nested more than 500 deep/);
  expect(() => parseJson('{"a":'.repeat(1_000_000))).toThrow(/nested/);
  expect(parseJson(`[${'[[]],'.repeat(1000)}"${'['.repeat(1000)}"]`)).toHaveLength(1001);
});
