import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { planElementwise } from '../elementwise-plan.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { rowBroadcasts, rowReductions, rowTiles, type RowsShape } from '../row-reductions.ts';
import { softmaxStatistics } from '../softmax/softmax.ts';
import { checkExtents } from '../check-extents.ts';

/** Rows, classes, and what the gradient of each row's loss is multiplied by: 1/rows for the mean over a batch. */
export interface LossGradientShape extends RowsShape {
  readonly scale: number;
}

/** `losses` (rows): categorical cross-entropy of softmax(`logits`) against `labels`, both (rows, classes). */
export function planSoftmaxCrossEntropy(shape: RowsShape, target: KernelTarget): Plan {
  const { rows, classes } = shape;
  const losses = rowReductions(shape, target).map(({ pair, constants, uniforms, grid }): Dispatch => ({
    shader: 'loss/softmax',
    constants,
    uniforms,
    bindings: {
      logits: pair.input.of('logits'),
      labels: pair.input.of('labels'),
      rowMax: pair.output.of('rowMax'),
      sumOfOthers: pair.output.of('sumOfOthers'),
      losses: pair.output.of('losses'),
    },
    grid,
  }));
  return {
    kernel: 'softmax-cross-entropy',
    variant: 'statistics, then losses',
    temporaries: { rowMax: 4 * rows, sumOfOthers: 4 * rows },
    flops: 20 * rows * classes,
    bytes: 8 * rows * classes + 4 * rows,
    dispatches: [...softmaxStatistics(shape, 'logits', target), ...losses],
  };
}

/**
 * `dlogits = scale * (softmax(logits) - labels)`, all (rows, classes). Rows of `labels` are taken to sum to 1, as
 * TensorFlow takes them.
 */
export function planSoftmaxCrossEntropyGradient(shape: LossGradientShape, target: KernelTarget): Plan {
  const { rows, classes, scale } = shape;
  const apply = rowBroadcasts(shape, target).map(({ output, input }): Dispatch => ({
    shader: 'loss/softmax-gradient',
    constants: { WORKGROUP: FLAT_WORKGROUP },
    uniforms: {
      count: output.count,
      first: output.first,
      rowFirst: input.first,
      rowCount: input.count,
      classes,
      scale,
    },
    bindings: {
      logits: output.of('logits'),
      labels: output.of('labels'),
      rowMax: input.of('rowMax'),
      sumOfOthers: input.of('sumOfOthers'),
      dlogits: output.of('dlogits'),
    },
    grid: grid1d(output.count, FLAT_WORKGROUP, target),
  }));
  return {
    kernel: 'softmax-cross-entropy-gradient',
    variant: 'statistics, then apply',
    temporaries: { rowMax: 4 * rows, sumOfOthers: 4 * rows },
    flops: 35 * rows * classes,
    bytes: 12 * rows * classes,
    dispatches: [...softmaxStatistics(shape, 'logits', target), ...apply],
  };
}

/**
 * `losses` (rows): binary cross-entropy of sigmoid(`logits`) against `labels`, both (rows, classes), the mean over
 * the classes of each row.
 */
export function planSigmoidCrossEntropy(shape: RowsShape, target: KernelTarget): Plan {
  checkExtents('sigmoid-cross-entropy', { ...shape });
  const { rows, classes } = shape;
  return {
    kernel: 'sigmoid-cross-entropy',
    variant: 'rows',
    temporaries: {},
    flops: 50 * rows * classes,
    bytes: 8 * rows * classes + 4 * rows,
    dispatches: rowReductions(shape, target).map(({ pair, constants, uniforms, grid }) => ({
      shader: 'loss/sigmoid',
      constants,
      uniforms,
      bindings: {
        logits: pair.input.of('logits'),
        labels: pair.input.of('labels'),
        losses: pair.output.of('losses'),
      },
      grid,
    })),
  };
}

/**
 * `dlogits = scale / classes * (sigmoid(logits) - labels)`, all (rows, classes): `scale` multiplies the gradient of
 * each row's loss, which is a mean over the classes.
 */
export function planSigmoidCrossEntropyGradient(shape: LossGradientShape, target: KernelTarget): Plan {
  checkExtents('sigmoid-cross-entropy-gradient', { rows: shape.rows, classes: shape.classes });
  const { rows, classes, scale } = shape;
  return planElementwise(
    {
      kernel: 'sigmoid-cross-entropy-gradient',
      shader: 'loss/sigmoid-gradient',
      uniforms: { scale: scale / classes },
      buffers: ['logits', 'labels', 'dlogits'],
      count: rows * classes,
      flops: 20,
    },
    target,
  );
}

/**
 * Multiplies each row of `x` (rows, classes) in place by its own of `weights` (rows): sample weights, for losses with
 * one class and for the gradient of the outputs.
 */
export function planWeighRows(shape: RowsShape, target: KernelTarget): Plan {
  checkExtents('weigh-rows', { ...shape });
  const { rows, classes } = shape;
  return {
    kernel: 'weigh-rows',
    variant: 'elementwise',
    temporaries: {},
    flops: rows * classes,
    bytes: 8 * rows * classes + 4 * rows,
    dispatches: rowBroadcasts(shape, target).map(({ output, input }) => ({
      shader: 'loss/weigh-rows',
      constants: { WORKGROUP: FLAT_WORKGROUP },
      uniforms: {
        count: output.count,
        first: output.first,
        rowFirst: input.first,
        rowCount: input.count,
        classes,
      },
      bindings: { x: output.of('x'), weights: input.of('weights') },
      grid: grid1d(output.count, FLAT_WORKGROUP, target),
    })),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const reductions = rowTiles.flatMap((tile) =>
    [false, true].flatMap((SPLIT): ShaderVariant[] => [
      { shader: 'loss/softmax', constants: { ...tile, SPLIT } },
      { shader: 'loss/sigmoid', constants: { ...tile, SPLIT } },
    ]),
  );
  const constants = { WORKGROUP: FLAT_WORKGROUP };
  return [
    ...reductions,
    { shader: 'loss/softmax-gradient', constants },
    { shader: 'loss/sigmoid-gradient', constants },
    { shader: 'loss/weigh-rows', constants },
  ];
}
