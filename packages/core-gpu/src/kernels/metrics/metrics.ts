import type { Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import { bindingSlices, slicePairs } from '../binding-slices.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { uniformFlag } from '../uniform-flag.ts';
import type { RowsShape } from '../row-reductions.ts';
import { checkExtents } from '../check-extents.ts';

const LANES = 64;

/**
 * Adds to `correct` (one float) the number of rows where `predictions` and `labels`, both (rows, classes), have their
 * largest element in the same place. Of equal elements the first counts.
 */
export function planCategoricalCorrect(shape: RowsShape, target: KernelTarget): Plan {
  checkExtents('categorical-correct', { ...shape });
  const { rows, classes } = shape;
  const count = bindingSlices(rows, target).map((slice): Dispatch => ({
    shader: 'metrics/count-equal',
    constants: { LANES },
    uniforms: { count: slice.count },
    bindings: { predicted: slice.of('predicted'), actual: slice.of('actual'), correct: 'correct' },
    grid: [1, 1, 1],
  }));
  return {
    kernel: 'categorical-correct',
    variant: 'argmax, then count',
    temporaries: { best: 4 * rows, predicted: 4 * rows, actual: 4 * rows },
    flops: 2 * rows * classes,
    bytes: 8 * rows * classes,
    dispatches: [
      ...argmax(shape, 'predictions', 'predicted', target),
      ...argmax(shape, 'labels', 'actual', target),
      ...count,
    ],
  };
}

function argmax({ rows, classes }: RowsShape, x: string, position: string, target: KernelTarget): Dispatch[] {
  const inputs = bindingSlices(rows * classes, target);
  const pairs = slicePairs(bindingSlices(rows, target), inputs, (from, to) => [from * classes, to * classes]);
  return pairs.map(({ output, input, isFirst }) => ({
    shader: 'metrics/argmax',
    constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT: inputs.length > 1 },
    uniforms: {
      count: output.count,
      rowFirst: output.first,
      xFirst: input.first,
      xCount: input.count,
      classes,
      isFirst: uniformFlag(isFirst),
    },
    bindings: { x: input.of(x), best: output.of('best'), position: output.of(position) },
    grid: grid1d(output.count, FLAT_WORKGROUP, target),
  }));
}

/**
 * Adds to `correct` (one float) the number of `predictions` (`count` floats) that are above the threshold where
 * `labels` is 1 and not above it where `labels` is 0. For probabilities the threshold is .5, for logits 0.
 */
export function planBinaryCorrect(
  { count, threshold = 0.5 }: { count: number; threshold?: number },
  target: KernelTarget,
): Plan {
  return {
    kernel: 'binary-correct',
    variant: 'one workgroup',
    temporaries: {},
    flops: count,
    bytes: 8 * count,
    dispatches: bindingSlices(count, target).map((slice) => ({
      shader: 'metrics/count-binary',
      constants: { LANES },
      uniforms: { count: slice.count, threshold },
      bindings: {
        predictions: slice.of('predictions'),
        labels: slice.of('labels'),
        correct: 'correct',
      },
      grid: [1, 1, 1],
    })),
  };
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  return [
    ...[false, true].map((SPLIT): ShaderVariant => ({
      shader: 'metrics/argmax',
      constants: { WORKGROUP: FLAT_WORKGROUP, SPLIT },
    })),
    { shader: 'metrics/count-equal', constants: { LANES } },
    { shader: 'metrics/count-binary', constants: { LANES } },
  ];
}
