import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { Ladder } from '../ladder.ts';
import { threadPerRow, workgroupPerRow } from '../row-reductions.ts';
import { planSoftmax } from './softmax.ts';

const [rows, classes] = [256, 1000];
const count = rows * classes;
const shape = { rows, classes };

/** Softmax over the classes of ImageNet. */
export const softmaxLadder: Ladder = {
  kernel: 'softmax',
  problem: 'softmax of (256, 1000)',
  inputs: { x: count },
  output: { name: 'y', length: count },
  rungs: [
    {
      name: 'one thread per row',
      plan: (target) => ({
        kernel: 'softmax',
        variant: 'naive',
        temporaries: {},
        flops: 30 * count,
        bytes: 8 * count,
        dispatches: [
          {
            shader: 'softmax/naive',
            constants: { WORKGROUP: FLAT_WORKGROUP },
            uniforms: shape,
            bindings: { x: 'x', y: 'y' },
            grid: grid1d(rows, FLAT_WORKGROUP, target),
          },
        ],
      }),
    },
    {
      name: 'one thread per row, accurate powers',
      plan: (target) => planSoftmax(shape, target, threadPerRow),
    },
    { name: 'one workgroup per row', plan: (target) => planSoftmax(shape, target, workgroupPerRow) },
  ],
};
