import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { Ladder } from '../ladder.ts';
import { planAdd } from './elementwise.ts';

const count = 150 * 150 * 64;

/** Adding two tensors the size of an activation of VGG16 at 150x150. */
export const elementwiseLadder: Ladder = {
  kernel: 'elementwise',
  problem: 'sum of two tensors of (150, 150, 64)',
  inputs: { a: count, b: count },
  output: { name: 'y', length: count },
  rungs: [
    {
      name: 'one element per thread',
      plan: (target) => ({
        kernel: 'add',
        variant: 'naive',
        temporaries: {},
        flops: count,
        bytes: 12 * count,
        dispatches: [
          {
            shader: 'elementwise/add-naive',
            constants: { WORKGROUP: FLAT_WORKGROUP },
            uniforms: { count },
            bindings: { a: 'a', b: 'b', y: 'y' },
            grid: grid1d(count, FLAT_WORKGROUP, target),
          },
        ],
      }),
    },
    { name: 'four elements per thread', plan: (target) => planAdd({ count }, target) },
  ],
};
