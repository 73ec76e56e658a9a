import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { Ladder } from '../ladder.ts';
import { planBatchNormNormalize, planBatchNormStatistics } from './batch-norm.ts';

const rows = 4 * 73 * 73;
const c = 64;
/** Inputs are noise in [-1, 1), the variance too: this keeps what stands under the root positive. */
const epsilon = 2;

/** Normalising with given statistics, from one element per thread to the kernel in use. */
export const batchNormLadder: Ladder = {
  kernel: 'batch-norm',
  problem: 'normalising four images of (73, 73, 64)',
  inputs: { x: rows * c, mean: c, gamma: c, beta: c, variance: c },
  output: { name: 'y', length: rows * c },
  rungs: [
    { name: 'one element per thread', plan: naiveNormalize },
    {
      name: 'a strip of vectors per thread',
      plan: (target) =>
        planBatchNormNormalize({ rows, c, epsilon }, { gamma: true, beta: true, relu: false }, target),
    },
  ],
};

/** Mean and variance of a batch, from one thread per channel to the kernels in use. */
export const batchNormStatisticsLadder: Ladder = {
  kernel: 'batch-norm-statistics',
  problem: 'mean and variance of four images of (73, 73, 64)',
  inputs: { x: rows * c },
  output: { name: 'variance', length: c },
  rungs: [
    { name: 'one channel per thread', plan: withScratchMean(naiveStatistics) },
    {
      name: 'strips, then strips of sums',
      plan: withScratchMean((target) => planBatchNormStatistics({ rows, c }, target)),
    },
  ],
};

function naiveNormalize(target: KernelTarget): Plan {
  return {
    kernel: 'batch-norm-normalize',
    variant: 'naive',
    temporaries: {},
    flops: 6 * rows * c,
    bytes: 8 * rows * c,
    dispatches: [
      {
        shader: 'batch-norm/naive-normalize',
        constants: { WORKGROUP: FLAT_WORKGROUP },
        uniforms: { count: rows * c, c, epsilon },
        bindings: { x: 'x', mean: 'mean', variance: 'variance', gamma: 'gamma', beta: 'beta', y: 'y' },
        grid: grid1d(rows * c, FLAT_WORKGROUP, target),
      },
    ],
  };
}

function naiveStatistics(target: KernelTarget): Plan {
  return {
    kernel: 'batch-norm-statistics',
    variant: 'naive',
    temporaries: {},
    flops: 4 * rows * c,
    bytes: 8 * rows * c,
    dispatches: [
      {
        shader: 'batch-norm/naive-statistics',
        constants: { WORKGROUP: FLAT_WORKGROUP },
        uniforms: { rows, c },
        bindings: { x: 'x', mean: 'mean', variance: 'variance' },
        grid: grid1d(c, FLAT_WORKGROUP, target),
      },
    ],
  };
}

/** A ladder judges one output; the mean is left in scratch memory. */
function withScratchMean(plan: (target: KernelTarget) => Plan): (target: KernelTarget) => Plan {
  return (target) => {
    const made = plan(target);
    return { ...made, temporaries: { ...made.temporaries, mean: 4 * c } };
  };
}
