import { ConvbaseError, visibleLine } from '@convbase/base';
import type { Callback } from '@convbase/layers';
import { pythonFloat } from './python-float.ts';
import { textState } from './state.ts';
import { TextLog } from './text-log.ts';

export interface CsvLoggerOptions {
  /** Between the fields of a row; one character, `,` when left out. */
  readonly separator?: string;
  /** Goes on with the file that is there instead of starting it anew. */
  readonly append?: boolean;
}

/** What ends a line in Python's `csv.excel`, and so in Keras' files. */
const LINE_END = '\r\n';

/**
 * Keras' CSVLogger: a row for each epoch (counted from 0) with its logs under sorted names. The columns are those of
 * the first epoch; without a `val_` one among them, empty ones are kept for later. What an epoch does not have is
 * `NA`. Numbers look as Python prints them. A file that is continued keeps its columns.
 *
 * Errors: `log/separator`, or the codes of `fileError`.
 */
export function csvLogger(
  path: string,
  { separator = ',', append = false }: CsvLoggerOptions = {},
): Callback {
  if (separator.length !== 1 || /["\r\n]/.test(separator)) {
    throw new ConvbaseError('log/separator', `${JSON.stringify(separator)} cannot separate the fields`, {
      where: path,
      fix: 'Give one character, such as a comma, a semicolon or a tab.',
    });
  }
  const log = new TextLog(path);
  const row = (fields: readonly string[]): string =>
    fields.map((field) => quoted(field, separator)).join(separator) + LINE_END;
  let columns: readonly string[] | undefined;
  return {
    name: 'csvLogger',
    ...textState(log),
    async onTrainBegin() {
      await log.begin(append);
      columns = header(log.text, separator);
    },
    async onEpochEnd(epoch, values) {
      // Names as they stand in the header, which a file that is continued is read from.
      const logs = Object.fromEntries(
        Object.entries(values).map(([name, value]) => [visibleLine(name), value]),
      );
      let lines = '';
      if (columns === undefined) {
        columns = columnsOf(logs);
        lines = row(['epoch', ...columns]);
      }
      lines += row([String(epoch), ...columns.map((key) => cell(logs[key]))]);
      await log.add(lines);
    },
  };
}

/** Keras' choice from the first epoch's logs. */
function columnsOf(logs: Readonly<Record<string, number>>): string[] {
  const keys = Object.keys(logs).sort(byCodeUnit);
  const validated = keys.some((key) => key.startsWith('val_'));
  return validated ? keys : [...keys, ...keys.map((key) => `val_${key}`)];
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The columns of a file that has a header, less the epoch. */
function header(text: string, separator: string): readonly string[] | undefined {
  const end = text.indexOf('\n');
  if (end < 0) return undefined;
  const [, ...names] = text.slice(0, end).replace(/\r$/, '').split(separator);
  return names.map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name));
}

function cell(value: number | undefined): string {
  return value === undefined ? 'NA' : pythonFloat(value);
}

/** `csv.QUOTE_MINIMAL`: quotes only around what would be misread without. */
function quoted(field: string, separator: string): string {
  const needed = field.includes(separator) || /["\r\n]/.test(field);
  return needed ? `"${field.replaceAll('"', '""')}"` : field;
}
