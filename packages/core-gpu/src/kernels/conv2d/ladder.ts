import type { KernelTarget } from '../../commands/plan.ts';
import type { Ladder, Rung } from '../ladder.ts';
import type { ForwardChoice } from './choose.ts';
import { planConv2dForward } from './forward.ts';
import { planNaiveForward } from './naive.ts';
import { conv2dLengths, conv2dShape } from './shape.ts';

const shape = conv2dShape({
  input: [1, 37, 37, 128],
  kernel: [3, 3, 128, 128],
  strides: [1, 1],
  padding: 'same',
});
const fusion = { bias: false, relu: false };
const lengths = conv2dLengths(shape);

function rung(name: string, choice: ForwardChoice): Rung {
  const plan = (target: KernelTarget) => planConv2dForward(shape, fusion, target, choice);
  return choice.variant === 'subgroup'
    ? { name, plan, runsOn: ({ subgroupSize }) => subgroupSize === 8 }
    : { name, plan };
}

/** The forward pass from one output per thread to the kernel in use, on the second convolution of VGG16's block 2. */
export const conv2dLadder: Ladder = {
  kernel: 'conv2d',
  problem: '3x3 convolution, 37x37 pixels, 128 to 128 channels, batch 1',
  inputs: { x: lengths.x, kernel: lengths.kernel, bias: shape.co },
  output: { name: 'y', length: lengths.y },
  rungs: [
    { name: 'naive', plan: (target: KernelTarget) => planNaiveForward(shape, fusion, target) },
    rung('register tile 4x4', { variant: 'register', pixels: 4 }),
    rung('register tile 8x4', { variant: 'register', pixels: 8 }),
    rung('shared-memory tile 64x64', { variant: 'tile', rows: 4 }),
    rung('shared-memory tile 128x64', { variant: 'tile', rows: 8 }),
    rung('subgroup tile 8x32', { variant: 'subgroup', groups: 1 }),
    rung('subgroup tile 16x32', { variant: 'subgroup', groups: 2 }),
    rung('subgroup tile 32x32', { variant: 'subgroup', groups: 4 }),
    { name: 'in use here', plan: (target) => planConv2dForward(shape, fusion, target) },
  ],
};
