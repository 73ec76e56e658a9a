import { ConvbaseError } from '@convbase/base';
import type { Binding, KernelTarget } from '../../commands/plan.ts';

/** A stretch of whole rows of a row-major float matrix that fits into one binding. */
export interface RowWindow {
  /** First row. */
  readonly first: number;
  /** Number of rows. */
  readonly rows: number;
  /** Elements between the start of the binding and the first row (bindings start at aligned offsets only). */
  readonly offset: number;
  /** The stretch of the buffer of that name. */
  readonly of: (buffer: string) => Binding;
}

/**
 * The rows [first, first + rows) of a matrix of `total` rows as a binding. The caller sees to it that they fit.
 */
export function rowWindow(
  { first, rows, total, columns }: { first: number; rows: number; total: number; columns: number },
  target: KernelTarget,
): RowWindow {
  const start = 4 * first * columns;
  const remainder = start % target.offsetAlignment;
  const offset = start - remainder;
  const size = remainder + 4 * rows * columns;
  const whole = first === 0 && rows === total;
  return {
    first,
    rows,
    offset: remainder / 4,
    of: (buffer) => (whole ? buffer : { buffer, offset, size }),
  };
}

/** Rows of `columns` floats that fit into one binding wherever they start; whole matrices may have more. */
export function rowsPerBinding(columns: number, target: KernelTarget): number {
  const slack = (4 * columns) % target.offsetAlignment === 0 ? 0 : target.offsetAlignment - 4;
  return Math.floor((target.maxBindingBytes - slack) / (4 * columns));
}

/**
 * Cuts a matrix into stretches of rows that fit a binding.
 *
 * @throws ConvbaseError `kernel/too-wide` where not even two rows fit: sums of rows would never get shorter.
 */
export function rowWindows(rows: number, columns: number, target: KernelTarget): RowWindow[] {
  const most = rowsPerBinding(columns, target);
  if (most < 2) {
    throw new ConvbaseError(
      'kernel/too-wide',
      `two rows of ${String(columns)} floats do not fit into a binding of ${String(target.maxBindingBytes)} bytes`,
      { fix: 'Use fewer channels, or an adapter with a larger maxStorageBufferBindingSize.' },
    );
  }
  const step = 4 * rows * columns <= target.maxBindingBytes ? rows : most;
  const windows: RowWindow[] = [];
  for (let first = 0; first < rows; first += step) {
    windows.push(rowWindow({ first, rows: Math.min(step, rows - first), total: rows, columns }, target));
  }
  return windows;
}
