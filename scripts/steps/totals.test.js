import { expect, it } from 'vitest';
import { addUp, summaryLine } from './totals.js';

/** @param {string[]} statuses */
const file = (...statuses) => ({
  name: 'a.test.ts',
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status, i) => ({ status, fullName: `test ${i}` })),
});

it('adds up passed, failed and skipped tests of all packages', () => {
  const totals = addUp(
    new Map([
      ['base', { success: true, testResults: [file('passed', 'passed'), file('pending')] }],
      ['data', { success: false, testResults: [file('passed', 'failed', 'todo')] }],
    ]),
  );
  expect(totals).toEqual({ passed: 3, failed: ['data: test 1'], skipped: ['base: test 0', 'data: test 2'] });
  expect(summaryLine(totals)).toBe('3 passed, 1 failed');
});

it('counts what went wrong outside of any test', () => {
  const unloadable = {
    name: 'b.test.ts',
    status: 'failed',
    message: 'SyntaxError: x\n at',
    assertionResults: [],
  };
  const totals = addUp(
    new Map([
      ['base', { success: false, testResults: [unloadable] }],
      ['data', { success: false, testResults: [file('passed')] }],
      ['cli', undefined],
    ]),
  );
  expect(totals.failed).toEqual([
    'base: b.test.ts: SyntaxError: x',
    'data: an error outside of the tests',
    'cli: the tests did not run to the end',
  ]);
});

it('is short when all is well', () => {
  expect(summaryLine({ passed: 7, failed: [], skipped: [] })).toBe('7 passed, 0 failed');
});
