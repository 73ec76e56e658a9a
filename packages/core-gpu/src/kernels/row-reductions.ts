import type { KernelTarget } from '../commands/plan.ts';
import { bindingSlices, slicePairs, type SlicePair } from './binding-slices.ts';
import { grid1d } from './grid.ts';
import { uniformFlag } from './uniform-flag.ts';
import { checkExtents } from './check-extents.ts';

/** A matrix that is reduced row by row: softmax and losses. */
export interface RowsShape {
  readonly rows: number;
  readonly classes: number;
}

/** Threads per row and rows per workgroup of a row kernel. */
export type RowTile = Readonly<Record<'LANES' | 'ROWS', number>>;

/** Threads of a workgroup, all rows of it taken together. */
const WORKGROUP = 64;

export const threadPerRow: RowTile = { LANES: 1, ROWS: WORKGROUP };
export const workgroupPerRow: RowTile = { LANES: WORKGROUP, ROWS: 1 };

/** Rows at least this long are shared between lanes on a GPU. */
const LONG_ROW = 32;

/**
 * How a workgroup of a row kernel is laid out: `LANES` threads join in one row, `ROWS` rows stand side by side.
 *
 * Short rows (ten classes) get a thread each. Long ones (a thousand classes) get a workgroup each on a GPU, which
 * otherwise would have few threads, each reading far from its neighbours. Software adapters run the lanes of a
 * workgroup one after the other anyway and pay for barriers, so a thread goes on taking its row alone.
 */
export function chooseRowTile({ classes }: RowsShape, target: KernelTarget): RowTile {
  return target.kind === 'gpu' && classes >= LONG_ROW ? workgroupPerRow : threadPerRow;
}

/** Every tile that `chooseRowTile` can choose. */
export const rowTiles: readonly RowTile[] = [threadPerRow, workgroupPerRow];

/** One dispatch of a kernel that reduces rows: a slice of rows with a slice of the matrix. */
export interface RowReduction {
  readonly pair: SlicePair;
  readonly constants: RowTile & { readonly SPLIT: boolean };
  readonly uniforms: Record<'rowFirst' | 'rowCount' | 'xFirst' | 'xCount' | 'classes' | 'isFirst', number>;
  readonly grid: [number, number, number];
}

/** The dispatches of a kernel that makes one number of each row; output slices are rows. */
export function rowReductions(
  shape: RowsShape,
  target: KernelTarget,
  tile = chooseRowTile(shape, target),
): RowReduction[] {
  checkExtents('rows', { rows: shape.rows, classes: shape.classes });
  const { rows, classes } = shape;
  const outputs = bindingSlices(rows, target);
  const inputs = bindingSlices(rows * classes, target);
  return slicePairs(outputs, inputs, (from, to) => [from * classes, to * classes]).map((pair) => ({
    pair,
    constants: { ...tile, SPLIT: inputs.length > 1 },
    uniforms: {
      rowFirst: pair.output.first,
      rowCount: pair.output.count,
      xFirst: pair.input.first,
      xCount: pair.input.count,
      classes,
      isFirst: uniformFlag(pair.isFirst),
    },
    grid: grid1d(pair.output.count, tile.ROWS, target),
  }));
}

/** Slices of the matrix, each with the slices of its rows' numbers: output slices are elements. */
export function rowBroadcasts({ rows, classes }: RowsShape, target: KernelTarget): SlicePair[] {
  checkExtents('rows', { rows, classes });
  return slicePairs(bindingSlices(rows * classes, target), bindingSlices(rows, target), (from, to) => [
    Math.floor(from / classes),
    Math.ceil(to / classes),
  ]);
}
