import { visibleLine } from '@convbase/base';
import type { Results, Row } from './schema.ts';
import { ratio } from './words.ts';

/** One row of two runs. */
export interface Comparison {
  readonly case: string;
  readonly label: string;
  /** How many times as fast as tfjs webgpu in the same run; null where that cannot be said. */
  readonly before: number | null;
  readonly after: number | null;
  /** after / before. */
  readonly change: number | null;
  readonly verdict: 'same' | 'faster' | 'slower' | 'broken' | 'new' | 'gone';
}

/**
 * Compares what convbase reached in two runs, as ratios against TensorFlow.js in each run, never as times: those are
 * another machine's, or another hour's.
 *
 * @param tolerance how much of a ratio may be lost before that counts as slower: 0.3 lets 10x become 7x
 */
export function compareResults(before: Results, after: Results, tolerance: number): Comparison[] {
  const old = ownRows(before);
  const now = ownRows(after);
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  return keys.map((key) => {
    const a = old.get(key);
    const b = now.get(key);
    const known = b ?? a;
    const values = { before: a?.ratioToTfjsWebgpu ?? null, after: b?.ratioToTfjsWebgpu ?? null };
    const change = values.before === null || values.after === null ? null : values.after / values.before;
    return {
      case: known?.case ?? '',
      label: known?.label ?? '',
      ...values,
      change,
      verdict: verdictOf(a, b, change, tolerance),
    };
  });
}

/** Whether something got worse. */
export function isRegression({ verdict }: Comparison): boolean {
  return verdict === 'slower' || verdict === 'broken' || verdict === 'gone';
}

/** A line for each row. */
export function comparisonText(comparisons: readonly Comparison[]): string[] {
  const name = Math.max(0, ...comparisons.map((one) => visibleLine(one.case).length));
  return comparisons.map((one) => {
    const change =
      one.change === null ? '' : `${one.change >= 1 ? '+' : ''}${(100 * (one.change - 1)).toFixed(0)} %`;
    const values = [ratio(one.before) || '-', ratio(one.after) || '-', change];
    return `${visibleLine(one.case).padEnd(name)} ${values.map((value) => value.padStart(7)).join(' ')}  ${one.verdict}`;
  });
}

function verdictOf(
  before: Row | undefined,
  after: Row | undefined,
  change: number | null,
  tolerance: number,
): Comparison['verdict'] {
  if (before === undefined) return 'new';
  if (after === undefined) return 'gone';
  if (after.medianMs === null) return before.medianMs === null ? 'same' : 'broken';
  // There is a time still, but what it was compared with is gone.
  if (before.ratioToTfjsWebgpu !== null && after.ratioToTfjsWebgpu === null) return 'gone';
  if (change === null) return 'same';
  if (change < 1 - tolerance) return 'slower';
  return change > 1 / (1 - tolerance) ? 'faster' : 'same';
}

/** The rows that are about convbase, by case. */
function ownRows({ rows }: Results): Map<string, Row> {
  const own = rows.filter(({ contender }) => contender === 'convbase');
  return new Map(own.map((row) => [row.case, row]));
}
