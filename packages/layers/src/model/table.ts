import { visibleLine } from '@convbase/base';

/** A column of a table: its heading, how cells are aligned, and how many characters fit into it. */
export interface Column {
  readonly header: string;
  readonly align: 'left' | 'right' | 'center';
  readonly width: number;
}

/**
 * A table with ruled lines, laid out as Python's `rich` does for columns of fixed width: `width` characters in all,
 * words wrapped at spaces, words longer than a column cut off with an ellipsis. Cells are made visible.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const inner = fitWidths(columns, width - columns.length - 1).map((cell) => Math.max(0, cell - 2));
  const rule = (left: string, line: string, joint: string, right: string): string =>
    left + inner.map((cell) => line.repeat(cell + 2)).join(joint) + right;
  const row = (cells: readonly string[], bar: string): string[] => {
    const wrapped = columns.map(({ align }, i) =>
      alignLines(wrap(visibleLine(cells[i] ?? ''), inner[i] ?? 0), align, inner[i] ?? 0),
    );
    const height = Math.max(1, ...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) => {
      const parts = wrapped.map((lines, i) => ` ${lines[line] ?? ' '.repeat(inner[i] ?? 0)} `);
      return bar + parts.join(bar) + bar;
    });
  };
  const body = rows.map((cells) => row(cells, '│').join('\n')).join(`\n${rule('├', '─', '┼', '┤')}\n`);
  return [
    rule('┏', '━', '┳', '┓'),
    ...row(
      columns.map((column) => column.header),
      '┃',
    ),
    rule('┡', '━', '╇', '┩'),
    ...(rows.length > 0 ? [body] : []),
    rule('└', '─', '┴', '┘'),
  ].join('\n');
}

/** Column widths with one space on either side, made to fill `total`: reduced evenly or widened in proportion. */
function fitWidths(columns: readonly Column[], total: number): readonly number[] {
  const wanted = columns.map((column) => Math.min(column.width + 2, total));
  const sum = wanted.reduce((a, b) => a + b, 0);
  if (sum > total) return reduceEvenly(wanted, sum - total);
  if (sum === total) return wanted;
  let left = total - sum;
  let weight = sum;
  return wanted.map((width) => {
    const share = Math.ceil((width * left) / weight);
    weight -= width;
    left -= share;
    return width + share;
  });
}

function reduceEvenly(widths: readonly number[], excess: number): readonly number[] {
  let left = excess;
  let columns = widths.filter((width) => width > 0).length;
  return widths.map((width) => {
    if (width === 0 || columns === 0) return width;
    const share = Math.min(width, roundHalfEven(left / columns));
    left -= share;
    columns -= 1;
    return width - share;
  });
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Breaks text in front of words that no longer fit; each word carries the spaces around it. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/\s*\S+\s*/g) ?? ['']) {
    const bare = word.trimEnd().length;
    if (bare <= width - line.length || line === '') line += word;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  return lines;
}

function alignLines(lines: readonly string[], align: Column['align'], width: number): string[] {
  return lines.map((line) => {
    const text = truncate(align === 'left' ? withoutOverhang(line, width) : line.trimEnd(), width);
    if (align === 'left') return text.padEnd(width);
    if (align === 'right') return text.padStart(width);
    const left = Math.floor((width - text.length) / 2);
    return (' '.repeat(left) + text).padEnd(width);
  });
}

/** Drops trailing spaces as far as they stick out. */
function withoutOverhang(line: string, width: number): string {
  const bare = line.trimEnd().length;
  return line.slice(0, Math.max(bare, Math.min(line.length, width)));
}

function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
