import { ConvbaseError } from '@convbase/base';
import type { Binding, KernelTarget } from '../../commands/plan.ts';

/** A slice of whole rows of a row-major float matrix that fits into one binding. */
export interface RowSlice {
  /** First row: a multiple of 4, so that the slice starts with a whole vector. */
  readonly first: number;
  /** Number of rows. */
  readonly rows: number;
  /** Floats between the start of the binding and the first row (bindings start at aligned offsets only). */
  readonly offset: number;
  /**
   * The slice of the buffer of that name, rounded up to whole vectors: what lies behind a buffer's last float is
   * padding, which shaders that see vec4f may read and overwrite.
   */
  readonly of: (buffer: string) => Binding;
}

/** Rows of a matrix of `columns` columns as a binding. The caller sees to it that they fit. */
export function rowSlice(
  { first, rows, columns }: { first: number; rows: number; columns: number },
  target: KernelTarget,
): RowSlice {
  const start = 4 * first * columns;
  const remainder = start % target.offsetAlignment;
  const offset = start - remainder;
  const size = Math.ceil((remainder + 4 * rows * columns) / 16) * 16;
  return { first, rows, offset: remainder / 4, of: (buffer) => ({ buffer, offset, size }) };
}

/**
 * Rows of `columns` floats that fit into one binding wherever they start, a multiple of 4.
 *
 * @throws ConvbaseError `kernel/too-wide` where not even four rows fit.
 */
export function rowsPerBinding(columns: number, target: KernelTarget): number {
  const slack = (16 * columns) % target.offsetAlignment === 0 ? 0 : target.offsetAlignment;
  const rows = Math.floor((target.maxBindingBytes - slack) / (16 * columns)) * 4;
  if (rows >= 4) return rows;
  throw new ConvbaseError(
    'kernel/too-wide',
    `four rows of ${String(columns)} floats do not fit into a binding of ${String(target.maxBindingBytes)} bytes`,
    { fix: 'Use fewer channels, or an adapter with a larger maxStorageBufferBindingSize.' },
  );
}

/** Cuts a matrix into slices of rows that fit a binding. */
export function rowSlices(rows: number, columns: number, target: KernelTarget): RowSlice[] {
  const step = 4 * rows * columns + 12 <= target.maxBindingBytes ? rows : rowsPerBinding(columns, target);
  const slices: RowSlice[] = [];
  for (let first = 0; first < rows; first += step) {
    slices.push(rowSlice({ first, rows: Math.min(step, rows - first), columns }, target));
  }
  return slices;
}
