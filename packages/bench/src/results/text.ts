import type { Row } from './schema.ts';
import { failure, percent, ratio, shorten, spread, time } from './words.ts';

const WIDTH = 79;

/** Longer names of contenders are cut. */
const LONGEST_NAME = 22;

/** What the columns of `textOf` are. */
export const textLegend = [
  "median, p95, spread, runs; times as fast as tfjs webgpu; share of the adapter's",
  'limit; ? where there was nothing to compare the result with',
];

/** The rows of a case for a terminal of 80 columns. */
export function textOf(rows: readonly Row[]): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const software = rows.some(({ adapterKind }) => adapterKind === 'software') ? ' [software adapter]' : '';
  const names = rows.map(({ label }) => shorten(label, LONGEST_NAME));
  const width = Math.max(...names.map(({ length }) => length));
  return [
    `${shorten(first.title, WIDTH - software.length)}${software}`,
    ...rows.map((row, i) => `  ${(names[i] ?? '').padEnd(width)} ${cells(row, WIDTH - width - 3)}`.trimEnd()),
  ];
}

function cells(row: Row, room: number): string {
  if (row.medianMs === null) return shorten(failure(row), room);
  const parts = [
    time(row.medianMs).padStart(8),
    ` p95 ${time(row.p95Ms ?? NaN)}`.padEnd(14),
    `±${percent(spread(row))}`.padEnd(8),
    `x${row.runs}`.padEnd(4),
    ratio(row.ratioToTfjsWebgpu).padStart(7),
    row.shareOfLimit === null ? '' : ` lim ${percent(row.shareOfLimit)}`,
    row.correct === null ? ' ?' : '',
  ];
  return parts.join('');
}
