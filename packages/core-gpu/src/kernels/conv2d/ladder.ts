import type { Ladder, Rung } from '../ladder.ts';
import type { FilterGradientChoice, ForwardChoice } from './choose.ts';
import { planConv2dFilterGradient } from './filter-gradient.ts';
import { planConv2dForward } from './forward.ts';
import { planConv2dInputGradient } from './input-gradient.ts';
import { planNaiveFilterGradient, planNaiveForward, planNaiveInputGradient } from './naive.ts';
import { conv2dLengths, conv2dShape } from './shape.ts';

const shape = conv2dShape({
  input: [1, 37, 37, 128],
  kernel: [3, 3, 128, 128],
  strides: [1, 1],
  padding: 'same',
});
const problem = '3x3 convolution, 37x37 pixels, 128 to 128 channels, batch 1';
const epilogue = { bias: false, relu: false };
const lengths = conv2dLengths(shape);

const forwardRungs: readonly (readonly [name: string, choice: ForwardChoice])[] = [
  ['register tile 4x4', { variant: 'register', pixels: 4 }],
  ['register tile 8x4', { variant: 'register', pixels: 8 }],
  ['shared-memory tile 64x64', { variant: 'tiled', rows: 4, columns: 1, splits: 1 }],
  ['shared-memory tile 128x64', { variant: 'tiled', rows: 8, columns: 1, splits: 1 }],
  ['shared-memory tile 128x128', { variant: 'tiled', rows: 8, columns: 2, splits: 1 }],
  ['shared-memory tile 64x64, sum in 4 parts', { variant: 'tiled', rows: 4, columns: 1, splits: 4 }],
  ['subgroup tile 8x32', { variant: 'subgroup', groups: 1 }],
  ['subgroup tile 16x32', { variant: 'subgroup', groups: 2 }],
  ['subgroup tile 32x32', { variant: 'subgroup', groups: 4 }],
  ['outer products, tile 32x64', { variant: 'outer-product', tileM: 32, tileN: 64 }],
];

const filterGradientRungs: readonly (readonly [name: string, choice: FilterGradientChoice])[] = [
  ['register tile 8x4', { variant: 'register', splits: 1 }],
  ['shared-memory tile 64x64, pixels in 4 parts', { variant: 'tiled', rows: 4, columns: 1, splits: 4 }],
  ['shared-memory tile 128x128, pixels in 4 parts', { variant: 'tiled', rows: 8, columns: 2, splits: 4 }],
  ['subgroup tile 32x32', { variant: 'subgroup', columns: 1, splits: 1 }],
  ['subgroup tile 32x64', { variant: 'subgroup', columns: 2, splits: 1 }],
  ['subgroup tile 32x64, pixels in 4 parts', { variant: 'subgroup', columns: 2, splits: 4 }],
];

/**
 * Subgroup rungs run only where subgroups have 8 lanes. Software adapters run the smallest and the largest tile of those
 * made for GPUs: each takes them seconds to compile.
 */
function runsOn(choice: ForwardChoice | FilterGradientChoice): Pick<Rung, 'runsOn'> {
  if (choice.variant === 'subgroup' || choice.variant === 'outer-product')
    return { runsOn: ({ subgroupSize }) => subgroupSize === 8 };
  if (choice.variant !== 'tiled' || 4 * choice.columns === choice.rows) return {};
  return { runsOn: ({ kind }) => kind !== 'software' };
}

/** The forward pass from one output per thread to the kernel in use. */
export const conv2dLadder: Ladder = {
  kernel: 'conv2d',
  problem,
  inputs: { x: lengths.x, kernel: lengths.kernel, bias: shape.co },
  output: { name: 'y', length: lengths.y },
  rungs: [
    { name: 'naive', plan: (target) => planNaiveForward(shape, epilogue, target) },
    ...forwardRungs.map(([name, choice]): Rung => ({
      name,
      plan: (target) => planConv2dForward(shape, epilogue, target, choice),
      ...runsOn(choice),
    })),
    { name: 'in use here', plan: (target) => planConv2dForward(shape, epilogue, target) },
  ],
};

/** The input gradient: sums over the outputs that each input went into, then the same as a forward pass over dy. */
export const conv2dInputGradientLadder: Ladder = {
  kernel: 'conv2d-input-gradient',
  problem,
  inputs: { dy: lengths.y, kernel: lengths.kernel },
  output: { name: 'dx', length: lengths.x },
  rungs: [
    { name: 'naive', plan: (target) => planNaiveInputGradient(shape, target) },
    { name: 'in use here', plan: (target) => planConv2dInputGradient(shape, target) },
  ],
};

/** The filter gradient from one weight per thread to outer products in registers. */
export const conv2dFilterGradientLadder: Ladder = {
  kernel: 'conv2d-filter-gradient',
  problem,
  inputs: { x: lengths.x, dy: lengths.y },
  output: { name: 'dkernel', length: lengths.kernel },
  rungs: [
    { name: 'naive', plan: (target) => planNaiveFilterGradient(shape, target) },
    ...filterGradientRungs.map(([name, choice]): Rung => ({
      name,
      plan: (target) => planConv2dFilterGradient(shape, target, choice),
      ...runsOn(choice),
    })),
    { name: 'in use here', plan: (target) => planConv2dFilterGradient(shape, target) },
  ],
};
