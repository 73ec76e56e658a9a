import type { Binding, Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { rowsPerBinding, rowSlice, rowSlices, type RowSlice } from './row-slices.ts';
import { checkExtents } from '../check-extents.ts';

/**
 * Matrices of no more rows than this are summed up by one thread for each column, row after row: the order in which
 * TensorFlow sums on a CPU. So the statistics of a small batch round as they do there, which decides about gradients
 * that nearly cancel; and strips of so few rows would not be faster.
 */
const IN_ORDER_ROWS = 256;

/** What a level's dispatch writes for one slice: `strips` rows of partial sums. */
export interface PartialSums {
  readonly strips: number;
  readonly output: Binding;
  /** Elements between the start of `output` and the first partial sum. */
  readonly offset: number;
  /** Every sum is divided by this: 1 except at the last level. */
  readonly divisor: number;
}

/** A sum over the rows of a matrix, carried out as a tree with the fan-in chosen for the adapter. */
export interface ColumnReduction {
  readonly rows: number;
  /** Width of the rows that the first level reads. */
  readonly columns: number;
  /** Width of the result where a first level computes several sums for each column; default `columns`. */
  readonly sums?: number;
  /** The buffer of the result, `sums` floats. */
  readonly output: string;
  /** The result is divided by this; default 1. */
  readonly divisor?: number;
  /** The first level: from the terms of a slice to its partial sums. */
  readonly first: (slice: RowSlice, partial: PartialSums) => Dispatch;
}

/**
 * The dispatches of a column reduction and the scratch memory they need.
 *
 * Each level shortens the matrix by the same strips (see column-sum.wgsl) until one row is left. Sums of a few
 * hundred terms at each level keep the rounding error near that of pairwise summation.
 */
export function reduceColumns(
  reduction: ColumnReduction,
  target: KernelTarget,
): Pick<Plan, 'dispatches' | 'temporaries'> {
  checkExtents('column-sum', { rows: reduction.rows, columns: reduction.columns, sums: reduction.sums });
  const { output, divisor = 1, columns, sums = columns } = reduction;
  const dispatches: Dispatch[] = [];
  const temporaries: Record<string, number> = {};
  let rows = reduction.rows;
  let input: string | undefined;
  for (let level = 0; input !== output; level++) {
    const width: number = level === 0 ? columns : sums;
    const slices = rowSlices(rows, width, target).map((slice) => ({
      slice,
      strips: stripsOf(slice.rows, { width, sums }, target),
    }));
    const total = slices.reduce((sum, { strips }) => sum + strips, 0);
    const next = total === 1 ? output : `${output} partial ${String(level % 2)}`;
    if (total > 1) temporaries[next] = Math.max(temporaries[next] ?? 0, 4 * total * sums);
    let done = 0;
    for (const { slice, strips } of slices) {
      const place = rowSlice({ first: done, rows: strips, columns: sums }, target);
      const partial = {
        strips,
        output: total === 1 ? output : place.of(next),
        offset: place.offset,
        divisor: total === 1 ? divisor : 1,
      };
      dispatches.push(
        input === undefined
          ? reduction.first(slice, partial)
          : columnSumDispatch(slice, partial, { input, columns: sums }, target),
      );
      done += strips;
    }
    rows = total;
    input = next;
  }
  return { dispatches, temporaries };
}

/** How many strips sum up the rows of a slice: enough threads for the adapter, enough terms for each. */
function stripsOf(
  rows: number,
  { width, sums }: { width: number; sums: number },
  target: KernelTarget,
): number {
  if (rows <= IN_ORDER_ROWS) return 1;
  const threads = target.kind === 'software' ? 2048 : 65_536;
  const terms = Math.min(256, Math.max(16, Math.floor((rows * width) / threads)));
  return Math.max(1, Math.min(Math.ceil(rows / terms), rowsPerBinding(sums, target)));
}

/** One level of column sums: `partial.strips` rows of sums of `slice`. */
export function columnSumDispatch(
  slice: RowSlice,
  partial: PartialSums,
  { input, columns, square = false }: { input: string; columns: number; square?: boolean },
  target: KernelTarget,
): Dispatch {
  const threads = partial.strips * columns;
  return {
    shader: 'reduce/column-sum',
    constants: { WORKGROUP: FLAT_WORKGROUP, SQUARE: square },
    uniforms: {
      count: slice.rows * columns,
      threads,
      xOffset: slice.offset,
      yOffset: partial.offset,
      divisor: partial.divisor,
      inOrder: partial.strips === 1 ? 1 : 0,
    },
    bindings: { x: slice.of(input), y: partial.output },
    grid: grid1d(threads, FLAT_WORKGROUP, target),
  };
}

/** Sums each column. Buffers: `x` [rows, columns], `y` [columns]. */
export function planColumnSum(
  { rows, columns, divisor = 1 }: { rows: number; columns: number; divisor?: number },
  target: KernelTarget,
): Plan {
  return {
    kernel: 'column-sum',
    variant: 'strips',
    flops: rows * columns,
    bytes: 4 * (rows + 1) * columns,
    ...reduceColumns(
      {
        rows,
        columns,
        output: 'y',
        divisor,
        first: (slice, partial) => columnSumDispatch(slice, partial, { input: 'x', columns }, target),
      },
      target,
    ),
  };
}

/** Sums `count` floats. Buffers: `x` [count], `y` [1]. */
export function planSum({ count }: { count: number }, target: KernelTarget): Plan {
  return { ...planColumnSum({ rows: count, columns: 1 }, target), kernel: 'sum' };
}

/** Sums the squares of `count` floats. Buffers: `x` [count], `y` [1]. */
export function planSumOfSquares({ count }: { count: number }, target: KernelTarget): Plan {
  return {
    kernel: 'sum-of-squares',
    variant: 'strips',
    flops: 2 * count,
    bytes: 4 * count,
    ...reduceColumns(
      {
        rows: count,
        columns: 1,
        output: 'y',
        first: (slice, partial) =>
          columnSumDispatch(slice, partial, { input: 'x', columns: 1, square: true }, target),
      },
      target,
    ),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  return [false, true].map((SQUARE) => ({
    shader: 'reduce/column-sum' as const,
    constants: { WORKGROUP: FLAT_WORKGROUP, SQUARE },
  }));
}
