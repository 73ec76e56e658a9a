import type { Dispatch, KernelTarget } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import { floatSlice, type FloatSlice } from '../binding-slices.ts';
import { tooLarge } from './subproblems.ts';

const WORKGROUP = 64;

/** Every `step`-th tap from `first` on, `count` of them; a negative step reverses them. */
export interface TapRange {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** A kernel matrix: `rows` x `columns` for each tap. */
interface PackedKernel {
  readonly buffer: string;
  /** Where it starts, in floats. */
  readonly offset: number;
  /** Floats in its buffer. */
  readonly length: number;
  readonly rows: number;
  readonly columns: number;
}

/** Dispatches that rearrange a kernel (see pack-kernel.wgsl). */
export function packKernel(
  source: {
    readonly buffer: string;
    readonly kh: number;
    readonly kw: number;
    readonly ci: number;
    readonly co: number;
  },
  packed: PackedKernel,
  taps: { readonly y: TapRange; readonly x: TapRange },
  transpose: boolean,
  target: KernelTarget,
): Dispatch[] {
  const { ci, co } = source;
  const { rows, columns } = packed;
  const tapFloats = rows * columns;
  const dispatch = (
    tap: { readonly y: TapRange; readonly x: TapRange; readonly index: number },
    box: { readonly row: number; readonly rows: number; readonly column: number; readonly columns: number },
    from: FloatSlice,
    to: FloatSlice,
  ): Dispatch => {
    const count = tap.y.count * tap.x.count;
    return {
      shader: 'conv2d/pack-kernel',
      constants: { WORKGROUP, TRANSPOSE: transpose },
      uniforms: {
        taps: count,
        tapsX: tap.x.count,
        firstY: tap.y.first,
        firstX: tap.x.first,
        stepY: tap.y.step,
        stepX: tap.x.step,
        kw: source.kw,
        ci,
        co,
        rows,
        columns,
        firstRow: box.row,
        rowCount: box.rows,
        firstColumn: box.column,
        columnCount: box.columns,
        sourceOffset: -from.start,
        packedOffset: packed.offset + tap.index * tapFloats - to.start,
      },
      bindings: { kernel: from.binding, packed: to.binding },
      grid: grid1d(count * box.rows * box.columns, WORKGROUP, target),
    };
  };
  const tapCount = taps.y.count * taps.x.count;
  const sourceFloats = source.kh * source.kw * ci * co;
  if (4 * Math.max(sourceFloats, packed.length) <= target.maxBindingBytes) {
    const box = { row: 0, rows, column: 0, columns };
    const all = (buffer: string): FloatSlice => ({ binding: buffer, start: 0, offset: 0 });
    return [dispatch({ ...taps, index: 0 }, box, all(source.buffer), all(packed.buffer))];
  }

  // Else tap by tap, and each tap in blocks of which both sides fit: `band` rows of packed; with the rows and
  // columns swapped these are columns of the source, and a slice of the source holds whole rows.
  const most = Math.floor((target.maxBindingBytes - target.offsetAlignment) / 4);
  const rowBand = Math.min(rows, Math.floor(most / columns), transpose ? rows : Math.floor(most / co));
  const columnBand = transpose ? Math.min(columns, Math.floor(most / co)) : columns;
  if (rowBand < 1 || columnBand < 1) throw tooLarge(ci, co, target);
  const dispatches: Dispatch[] = [];
  for (let index = 0; index < tapCount; index++) {
    const ky = taps.y.first + Math.floor(index / taps.x.count) * taps.y.step;
    const kx = taps.x.first + (index % taps.x.count) * taps.x.step;
    const tap = { y: { first: ky, step: 1, count: 1 }, x: { first: kx, step: 1, count: 1 }, index };
    for (let row = 0; row < rows; row += rowBand) {
      for (let column = 0; column < columns; column += columnBand) {
        const box = {
          row,
          rows: Math.min(rowBand, rows - row),
          column,
          columns: Math.min(columnBand, columns - column),
        };
        const [c, cs] = transpose ? [column, box.columns] : [row, box.rows];
        // Rows of the packed kernel past the source's last one hold zeros; the slice stays inside the source.
        const firstC = Math.min(c, ci - 1);
        const countC = Math.max(1, Math.min(cs, ci - firstC));
        const tapStart = (ky * source.kw + kx) * ci * co;
        const packedStart = packed.offset + index * tapFloats + row * columns;
        dispatches.push(
          dispatch(
            tap,
            box,
            floatSlice(source.buffer, tapStart + firstC * co, countC * co, false, target),
            floatSlice(packed.buffer, packedStart, box.rows * columns, false, target),
          ),
        );
      }
    }
  }
  return dispatches;
}
