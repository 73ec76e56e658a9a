import type { Row } from './schema.ts';
import { failure, percent, ratio, shorten, spread, time } from './words.ts';

const WIDTH = 79;

/** The rows of a case for a terminal of 80 columns. */
export function textOf(rows: readonly Row[]): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const software = rows.some(({ adapterKind }) => adapterKind === 'software') ? ' [software adapter]' : '';
  const name = Math.max(...rows.map(({ label }) => label.length));
  return [
    `${shorten(first.title, WIDTH - software.length)}${software}`,
    ...rows.map((row) => `  ${row.label.padEnd(name)} ${cells(row, WIDTH - name - 3)}`.trimEnd()),
  ];
}

function cells(row: Row, room: number): string {
  if (row.medianMs === null) return shorten(failure(row), room);
  const parts = [
    time(row.medianMs).padStart(8),
    ` p95 ${time(row.p95Ms ?? NaN)}`.padEnd(14),
    `±${percent(spread(row))}`.padEnd(7),
    `${row.runs} runs`.padStart(7),
    ratio(row.ratioToTfjsWebgpu).padStart(7),
    row.shareOfLimit === null ? '' : ` ${percent(row.shareOfLimit)} of limit`,
    row.correct === null ? ' unchecked' : '',
  ];
  return parts.join('');
}
