import type { Binding, Dispatch, KernelTarget, Plan } from '../../commands/plan.ts';
import type { ShaderName } from '../../commands/shader.ts';
import { planElementwise } from '../elementwise-plan.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { ShaderVariant } from '../shader-variant.ts';
import { columnSumDispatch, reduceColumns, type PartialSums } from '../reduce/reduce.ts';
import { rowSlice, rowSlices, type RowSlice } from '../reduce/row-slices.ts';
import { checkExtents } from '../check-extents.ts';

/** A batch as batch normalisation sees it: n * h * w rows of c channels. */
export interface BatchNormShape {
  readonly rows: number;
  readonly c: number;
}

/** A batch and the number added to the variance under the root. */
export interface BatchNormOptions extends BatchNormShape {
  readonly epsilon: number;
}

/**
 * Mean and biased variance of each channel. Buffers: `x` [rows, c], `mean` [c], `variance` [c].
 *
 * Two passes: the mean first, then the mean of (x - mean)^2. E[x^2] - E[x]^2 would be one pass, and lose all
 * digits where the mean is large against the deviation.
 */
export function planBatchNormStatistics({ rows, c }: BatchNormShape, target: KernelTarget): Plan {
  checkExtents('batch-norm-statistics', { rows, c });
  const mean = reduceColumns(
    {
      rows,
      columns: c,
      output: 'mean',
      divisor: rows,
      first: (slice, partial) => columnSumDispatch(slice, partial, { input: 'x', columns: c }, target),
    },
    target,
  );
  const variance = reduceColumns(
    {
      rows,
      columns: c,
      output: 'variance',
      divisor: rows,
      first: (slice, partial) => ({
        shader: 'batch-norm/squared-deviation',
        constants: { WORKGROUP: FLAT_WORKGROUP },
        uniforms: { ...stripUniforms(slice, partial, c), inOrder: partial.strips === 1 ? 1 : 0 },
        bindings: { x: slice.of('x'), mean: 'mean', y: partial.output },
        grid: grid1d(partial.strips * c, FLAT_WORKGROUP, target),
      }),
    },
    target,
  );
  return {
    kernel: 'batch-norm-statistics',
    variant: 'strips',
    flops: 4 * rows * c,
    bytes: 8 * rows * c,
    dispatches: [...mean.dispatches, ...variance.dispatches],
    temporaries: { ...mean.temporaries, ...variance.temporaries },
  };
}

/**
 * Normalises with given statistics. Buffers: `x` [rows, c], `mean`, `variance`, `gamma`, `beta` [c] (gamma and
 * beta null where the option says so), `y` [rows, c].
 */
export function planBatchNormNormalize(
  { rows, c, epsilon }: BatchNormOptions,
  { gamma, beta, relu }: { gamma: boolean; beta: boolean; relu: boolean },
  target: KernelTarget,
): Plan {
  checkExtents('batch-norm-normalize', { rows, c });
  return {
    kernel: 'batch-norm-normalize',
    variant: 'strips',
    temporaries: {},
    flops: 3 * rows * c,
    bytes: 8 * rows * c,
    dispatches: rowSlices(rows, c, target).map((slice) =>
      sweep(slice, c, target, {
        shader: 'batch-norm/normalize',
        constants: { HAS_GAMMA: gamma, HAS_BETA: beta, RELU: relu },
        uniforms: { c, epsilon },
        rows: ['x', 'y'],
        channels: ['mean', 'variance', 'gamma', 'beta'],
      }),
    ),
  };
}

/**
 * Gradient through statistics of the batch. Buffers: `x`, `dy` [rows, c], `mean`, `variance`, `gamma` [c] (gamma
 * null where the option says so), `dx` [rows, c], `dgamma`, `dbeta` [c] (each may be null).
 */
export function planBatchNormTrainingGradient(
  { rows, c, epsilon }: BatchNormOptions,
  { gamma }: { gamma: boolean },
  target: KernelTarget,
): Plan {
  checkExtents('batch-norm-gradient', { rows, c });
  const sums = gradientSums({ rows, c, epsilon }, target);
  const dx = rowSlices(rows, c, target).map((slice) =>
    sweep(slice, c, target, {
      shader: 'batch-norm/training-gradient',
      constants: { HAS_GAMMA: gamma },
      uniforms: { c, epsilon, perRow: 1 / rows },
      rows: ['x', 'dy', 'dx'],
      channels: ['mean', 'variance', 'gamma', 'sums'],
    }),
  );
  return {
    kernel: 'batch-norm-training-gradient',
    variant: 'strips',
    flops: 9 * rows * c,
    bytes: 20 * rows * c,
    dispatches: [...sums.dispatches, ...dx],
    temporaries: sums.temporaries,
  };
}

/**
 * Gradient with frozen statistics. Buffers as for planBatchNormTrainingGradient, `mean` and `variance` being the
 * moving ones. Without `parameters` (default true) dgamma and dbeta are not computed, and x is not read.
 */
export function planBatchNormInferenceGradient(
  { rows, c, epsilon }: BatchNormOptions,
  { gamma, parameters = true }: { gamma: boolean; parameters?: boolean },
  target: KernelTarget,
): Plan {
  checkExtents('batch-norm-gradient', { rows, c });
  const sums = parameters ? gradientSums({ rows, c, epsilon }, target) : { dispatches: [], temporaries: {} };
  const dx = rowSlices(rows, c, target).map((slice) =>
    sweep(slice, c, target, {
      shader: 'batch-norm/inference-gradient',
      constants: { HAS_GAMMA: gamma },
      uniforms: { c, epsilon },
      rows: ['dy', 'dx'],
      channels: ['variance', 'gamma'],
    }),
  );
  return {
    kernel: 'batch-norm-inference-gradient',
    variant: 'strips',
    flops: (parameters ? 5 : 1) * rows * c,
    bytes: (parameters ? 16 : 8) * rows * c,
    dispatches: [...sums.dispatches, ...dx],
    temporaries: sums.temporaries,
  };
}

/** moving = moving * momentum + batch * (1 - momentum). Buffers: `moving` (in place), `batch` of `count` floats. */
export function planMovingAverage(
  { count, momentum }: { count: number; momentum: number },
  target: KernelTarget,
): Plan {
  const uniforms = { momentum, oneMinusMomentum: 1 - momentum };
  const shader = 'batch-norm/moving-average';
  return planElementwise(
    { kernel: 'moving-average', shader, uniforms, buffers: ['moving', 'batch'], count, flops: 3 },
    target,
  );
}

/**
 * Folds frozen batch normalisation into the layer before it. Buffers: `kernel` [rows, co] with rows = kh * kw * ci,
 * `bias`, `gamma`, `beta` (null where the option says so), `mean`, `variance` [co], `foldedKernel` [rows, co],
 * `foldedBias` [co].
 */
export function planBatchNormFold(
  { rows, co, epsilon }: { rows: number; co: number; epsilon: number },
  { gamma, beta, bias }: { gamma: boolean; beta: boolean; bias: boolean },
  target: KernelTarget,
): Plan {
  checkExtents('batch-norm-fold', { rows, co });
  const kernel = rowSlices(rows, co, target).map((slice) =>
    sweep(slice, co, target, {
      shader: 'batch-norm/fold-kernel',
      constants: { HAS_GAMMA: gamma },
      uniforms: { co, epsilon },
      rows: ['kernel', 'foldedKernel'],
      channels: ['variance', 'gamma'],
    }),
  );
  const foldBias: Dispatch = {
    shader: 'batch-norm/fold-bias',
    constants: { WORKGROUP: FLAT_WORKGROUP, HAS_BIAS: bias, HAS_GAMMA: gamma, HAS_BETA: beta },
    uniforms: { co, epsilon },
    bindings: bindAll(['bias', 'gamma', 'beta', 'mean', 'variance', 'foldedBias']),
    grid: grid1d(co, FLAT_WORKGROUP, target),
  };
  return {
    kernel: 'batch-norm-fold',
    variant: 'strips',
    temporaries: {},
    flops: rows * co + 6 * co,
    bytes: 8 * rows * co,
    dispatches: [...kernel, foldBias],
  };
}

/** `sums` [2 c] = column sums of dy, then of dy * xhat, copied to `dbeta` and `dgamma`. */
function gradientSums(
  { rows, c, epsilon }: BatchNormOptions,
  target: KernelTarget,
): Pick<Plan, 'dispatches' | 'temporaries'> {
  const { dispatches, temporaries } = reduceColumns(
    {
      rows,
      columns: c,
      sums: 2 * c,
      output: 'sums',
      first: (slice, partial) => ({
        shader: 'batch-norm/gradient-sums',
        constants: { WORKGROUP: FLAT_WORKGROUP },
        uniforms: { ...stripUniforms(slice, partial, c), epsilon },
        bindings: {
          x: slice.of('x'),
          dy: slice.of('dy'),
          mean: 'mean',
          variance: 'variance',
          y: partial.output,
        },
        grid: grid1d(partial.strips * c, FLAT_WORKGROUP, target),
      }),
    },
    target,
  );
  // A column sum of one row is a copy. One dispatch for each: both may be null, and one scrap cannot stand in
  // for two writable bindings.
  const copies = ['dbeta', 'dgamma'].map((name, half) => {
    const row = { ...rowSlice({ first: 0, rows: 2, columns: c }, target), rows: 1, offset: half * c };
    return columnSumDispatch(
      row,
      { strips: 1, output: name, offset: 0, divisor: 1 },
      { input: 'sums', columns: c },
      target,
    );
  });
  return { dispatches: [...dispatches, ...copies], temporaries: { ...temporaries, sums: 8 * c } };
}

function stripUniforms(slice: RowSlice, partial: PartialSums, c: number): Record<string, number> {
  return {
    count: slice.rows * c,
    threads: partial.strips * c,
    c,
    offset: slice.offset,
    yOffset: partial.offset,
    divisor: partial.divisor,
  };
}

/** A dispatch over a slice's rows in which each thread stays in one channel. */
function sweep(
  slice: RowSlice,
  channels: number,
  target: KernelTarget,
  parts: {
    readonly shader: ShaderName;
    readonly constants: Readonly<Record<string, boolean>>;
    readonly uniforms: Readonly<Record<string, number>>;
    /** Buffers of [rows, channels], bound by slice and seen as vec4f. */
    readonly rows: readonly string[];
    /** Buffers of [channels], bound as they are. */
    readonly channels: readonly string[];
  },
): Dispatch {
  const strips = Math.ceil(slice.rows / rowsOfThread(slice.rows * channels, target) / 4) * 4;
  const threads = (strips * channels) / 4;
  return {
    shader: parts.shader,
    constants: { WORKGROUP: FLAT_WORKGROUP, ...parts.constants },
    uniforms: { count: slice.rows * channels, threads, offset: slice.offset / 4, ...parts.uniforms },
    bindings: {
      ...Object.fromEntries(parts.rows.map((name) => [name, slice.of(name)] as const)),
      ...bindAll(parts.channels),
    },
    grid: grid1d(threads, FLAT_WORKGROUP, target),
  };
}

/** Enough rows for each thread to make up for loading the channel's numbers, enough threads for the adapter. */
function rowsOfThread(elements: number, target: KernelTarget): number {
  const threads = target.kind === 'software' ? 1024 : 65_536;
  return Math.min(32, Math.max(1, Math.floor(elements / 4 / threads)));
}

function bindAll(names: readonly string[]): Record<string, Binding> {
  return Object.fromEntries(names.map((name) => [name, name]));
}

/** Every shader of this folder with every set of constants it is used with. */
export function variants(): ShaderVariant[] {
  const flags = [false, true];
  const withGamma = ['training-gradient', 'inference-gradient', 'fold-kernel'] as const;
  return [
    ...(
      ['squared-deviation', 'gradient-sums', 'moving-average', 'naive-normalize', 'naive-statistics'] as const
    ).map((name) => ({
      shader: `batch-norm/${name}` as const,
      constants: { WORKGROUP: FLAT_WORKGROUP },
    })),
    ...flags.flatMap((HAS_GAMMA) => [
      ...withGamma.map((name) => ({
        shader: `batch-norm/${name}` as const,
        constants: { WORKGROUP: FLAT_WORKGROUP, HAS_GAMMA },
      })),
      ...flags.flatMap((HAS_BETA) =>
        flags.flatMap((flag) => [
          {
            shader: 'batch-norm/normalize' as const,
            constants: { WORKGROUP: FLAT_WORKGROUP, HAS_GAMMA, HAS_BETA, RELU: flag },
          },
          {
            shader: 'batch-norm/fold-bias' as const,
            constants: { WORKGROUP: FLAT_WORKGROUP, HAS_BIAS: flag, HAS_GAMMA, HAS_BETA },
          },
        ]),
      ),
    ]),
  ];
}
