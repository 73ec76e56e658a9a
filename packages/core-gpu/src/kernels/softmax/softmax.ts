import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { bindingSlices } from '../binding-slices.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { chooseRowTile, rowBroadcasts, rowReductions, rowTiles, type RowsShape } from '../row-reductions.ts';
import { checkExtents } from '../check-extents.ts';

/**
 * The dispatches that fill `rowMax` and `sumOfOthers` (a float for each row) from the matrix in buffer `x`: the part that
 * softmax shares with its cross-entropy.
 */
export function softmaxStatistics(shape: RowsShape, x: string, target: KernelTarget): Dispatch[] {
  return rowReductions(shape, target).map(({ pair, constants, uniforms, grid }) => ({
    shader: 'softmax/statistics',
    constants,
    uniforms,
    bindings: {
      x: pair.input.of(x),
      rowMax: pair.output.of('rowMax'),
      sumOfOthers: pair.output.of('sumOfOthers'),
    },
    grid,
  }));
}

/** Softmax over the last axis: `y = e^x / sum of e^x` for every row of `x` (rows, classes). */
export function planSoftmax(
  shape: RowsShape,
  target: KernelTarget,
  tile = chooseRowTile(shape, target),
): Plan {
  checkExtents('softmax', { rows: shape.rows, classes: shape.classes });
  const { rows, classes } = shape;
  const count = rows * classes;
  const whole = bindingSlices(count, target).length <= 1;
  const temporaries: Record<string, number> = whole ? {} : { rowMax: 4 * rows, sumOfOthers: 4 * rows };
  return {
    kernel: 'softmax',
    variant: whole ? `rows, ${String(tile.LANES)} lanes` : 'statistics, then normalize',
    temporaries,
    flops: 30 * count,
    bytes: 8 * count,
    dispatches: whole
      ? [
          {
            shader: 'softmax/rows',
            constants: tile,
            uniforms: { rows, classes },
            bindings: { x: 'x', y: 'y' },
            grid: grid1d(rows, tile.ROWS, target),
          },
        ]
      : [...softmaxStatistics(shape, 'x', target), ...normalize(shape, target)],
  };
}

function normalize(shape: RowsShape, target: KernelTarget): Dispatch[] {
  return rowBroadcasts(shape, target).map(({ output, input }) => ({
    shader: 'softmax/normalize',
    constants: { WORKGROUP: FLAT_WORKGROUP },
    uniforms: {
      count: output.count,
      first: output.first,
      rowFirst: input.first,
      rowCount: input.count,
      classes: shape.classes,
    },
    bindings: {
      x: output.of('x'),
      rowMax: input.of('rowMax'),
      sumOfOthers: input.of('sumOfOthers'),
      y: output.of('y'),
    },
    grid: grid1d(output.count, FLAT_WORKGROUP, target),
  }));
}

/** `dx` of softmax from its output `y` and `dy`, all (rows, classes). */
export function planSoftmaxGradient(shape: RowsShape, target: KernelTarget): Plan {
  const { rows, classes } = shape;
  const dots = rowReductions(shape, target).map(({ pair, constants, uniforms, grid }): Dispatch => ({
    shader: 'softmax/gradient-dot',
    constants,
    uniforms,
    bindings: { y: pair.input.of('y'), dy: pair.input.of('dy'), rowDot: pair.output.of('rowDot') },
    grid,
  }));
  const apply = rowBroadcasts(shape, target).map(({ output, input }): Dispatch => ({
    shader: 'softmax/gradient',
    constants: { WORKGROUP: FLAT_WORKGROUP },
    uniforms: {
      count: output.count,
      first: output.first,
      rowFirst: input.first,
      rowCount: input.count,
      classes,
    },
    bindings: {
      y: output.of('y'),
      dy: output.of('dy'),
      rowDot: input.of('rowDot'),
      dx: output.of('dx'),
    },
    grid: grid1d(output.count, FLAT_WORKGROUP, target),
  }));
  return {
    kernel: 'softmax-gradient',
    variant: 'dot, then apply',
    temporaries: { rowDot: 4 * rows },
    flops: 4 * rows * classes,
    bytes: 12 * rows * classes,
    dispatches: [...dots, ...apply],
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const reductions = rowTiles.flatMap((tile) =>
    [false, true].flatMap((SPLIT): ShaderVariant[] => [
      { shader: 'softmax/statistics', constants: { ...tile, SPLIT } },
      { shader: 'softmax/gradient-dot', constants: { ...tile, SPLIT } },
    ]),
  );
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    ...reductions,
    ...rowTiles.map((constants): ShaderVariant => ({ shader: 'softmax/rows', constants })),
    { shader: 'softmax/normalize', constants },
    { shader: 'softmax/gradient', constants },
    { shader: 'softmax/naive', constants },
  ];
}
