import { expect, test } from 'vitest';
import { issueLines } from './issues.ts';

test('says what is wrong and where, and not more than a few times', () => {
  expect(issueLines([{ message: 'odd', path: ['layers', 1, 'name'] }])).toEqual([
    '✖ odd',
    '  → at layers[1].name',
  ]);
  const many = Array.from({ length: 100_000 }, () => ({ message: 'odd', path: [] }));
  expect(issueLines(many)).toEqual(['✖ odd', '✖ odd', '✖ odd', '✖ odd', '✖ odd', 'and 99995 more']);
});
