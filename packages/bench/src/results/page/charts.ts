import { visibleLine } from '@convbase/base';
import { BASE } from '../row.ts';
import type { Results, Row } from '../schema.ts';
import { byCase, percent, ratio } from '../words.ts';
import { drawBars } from './bars.ts';

/** The cases of a chart, and its SVG. */
export interface DrawnChart {
  readonly group: string;
  readonly svg: string;
}

/** For each group of cases, how many times as fast as tfjs webgpu each contender is; only where that could be timed. */
export function speedCharts(results: Results, colors: ReadonlyMap<string, string>): DrawnChart[] {
  return grouped(results).flatMap(({ group, cases }, index) => {
    const timed = cases.filter(({ rows }) =>
      rows.some(({ ratioToTfjsWebgpu }) => ratioToTfjsWebgpu !== null),
    );
    const labels = labelsOf(timed).filter(({ contender }) => contender !== BASE);
    if (timed.length === 0 || labels.length === 0) return [];
    const svg = drawBars({
      id: `speed-${index}`,
      axis: 'times as fast as tfjs webgpu (the line is 1: as fast)',
      cases: timed.map(({ title }) => visibleLine(title)),
      series: labels.map(({ label }) => ({
        name: visibleLine(label),
        color: colors.get(label) ?? '',
        values: timed.map(({ rows }) => find(rows, label)?.ratioToTfjsWebgpu ?? null),
        missing: timed.map(({ rows }) => absence(find(rows, label))),
      })),
      format: ratio,
      logarithmic: true,
      mark: 1,
    });
    return [{ group, svg }];
  });
}

/** For each group of cases, how much of the adapter's own limit contenders on it reach. */
export function limitCharts(results: Results, colors: ReadonlyMap<string, string>): DrawnChart[] {
  return grouped(results).flatMap(({ group, cases }, index) => {
    const timed = cases.filter(({ rows }) => rows.some(({ shareOfLimit }) => shareOfLimit !== null));
    const labels = labelsOf(timed).filter(({ label }) =>
      timed.some(({ rows }) => (find(rows, label)?.shareOfLimit ?? null) !== null),
    );
    if (timed.length === 0) return [];
    const svg = drawBars({
      id: `limit-${index}`,
      axis: 'share of what the adapter could do at the most',
      cases: timed.map(({ title }) => visibleLine(title)),
      series: labels.map(({ label }) => ({
        name: visibleLine(label),
        color: colors.get(label) ?? '',
        values: timed.map(({ rows }) => find(rows, label)?.shareOfLimit ?? null),
        missing: timed.map(({ rows }) => absence(find(rows, label))),
      })),
      format: percent,
      logarithmic: false,
    });
    return [{ group, svg }];
  });
}

type Cases = ReturnType<typeof byCase>;

function grouped(results: Results): { group: string; cases: Cases }[] {
  const cases = byCase(results);
  const groups = [...new Set(cases.map(({ group }) => group))];
  return groups.map((group) => ({ group, cases: cases.filter((one) => one.group === group) }));
}

function labelsOf(cases: Cases): { label: string; contender: string }[] {
  const found = new Map<string, string>();
  for (const { rows } of cases) for (const { label, contender } of rows) found.set(label, contender);
  return [...found].map(([label, contender]) => ({ label, contender }));
}

function find(rows: readonly Row[], label: string): Row | undefined {
  return rows.find((row) => row.label === label);
}

/** What stands in place of a bar. */
function absence(row: Row | undefined): string {
  if (row === undefined) return '';
  if (row.medianMs !== null) return 'no ratio';
  return row.unsupported === true ? 'cannot' : row.correct === false ? 'wrong result' : 'failed';
}
