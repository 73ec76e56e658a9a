import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { FLAT_WORKGROUP, grid1d } from '../grid.ts';
import type { Ladder } from '../ladder.ts';
import { planGlobalAveragePoolForward } from './global.ts';
import { planAveragePoolForward, planMaxPoolForward, planMaxPoolInputGradient } from './pooling.ts';
import { poolShape, type PoolShape } from './shape.ts';

const maxShape = poolShape({ input: [4, 75, 75, 128], pool: [2, 2], strides: [2, 2], padding: 'valid' });

/** Max pooling, the second of VGG16 at 150x150, a batch of four. */
export const poolingLadder: Ladder = {
  kernel: 'pooling',
  problem: 'max pooling 2x2/2 of (4, 75, 75, 128)',
  inputs: { x: inputs(maxShape) },
  output: { name: 'y', length: outputs(maxShape) },
  rungs: [
    { name: 'one thread per output', plan: (target) => planMaxPoolForward(maxShape, target, 'scalar') },
    { name: 'four channels per thread', plan: (target) => planMaxPoolForward(maxShape, target, 'vec4') },
  ],
};

const averageShape = poolShape({ input: [4, 16, 16, 288], pool: [3, 3], strides: [1, 1], padding: 'same' });

/** Average pooling as in every mixed block of InceptionV3. */
export const averagePoolingLadder: Ladder = {
  kernel: 'average-pooling',
  problem: 'average pooling 3x3/1 of (4, 16, 16, 288), SAME',
  inputs: { x: inputs(averageShape) },
  output: { name: 'y', length: outputs(averageShape) },
  rungs: [
    {
      name: 'one thread per output',
      plan: (target) => planAveragePoolForward(averageShape, target, 'scalar'),
    },
    {
      name: 'four channels per thread',
      plan: (target) => planAveragePoolForward(averageShape, target, 'vec4'),
    },
  ],
};

const overlapping = poolShape({ input: [4, 35, 35, 192], pool: [3, 3], strides: [2, 2], padding: 'same' });

/** Gradient of max pooling with overlapping windows. */
export const maxPoolGradientLadder: Ladder = {
  kernel: 'max-pooling-gradient',
  problem: 'gradient of max pooling 3x3/2 of (4, 35, 35, 192), SAME',
  inputs: { x: inputs(overlapping), dy: outputs(overlapping) },
  output: { name: 'dx', length: inputs(overlapping) },
  rungs: [
    { name: 'search windows in the gather', plan: (target) => planNaiveGradient(overlapping, target) },
    {
      name: 'find positions, then gather',
      plan: (target) => planMaxPoolInputGradient(overlapping, target, 'scalar'),
    },
    {
      name: '.. four channels per thread',
      plan: (target) => planMaxPoolInputGradient(overlapping, target, 'vec4'),
    },
  ],
};

const image = { n: 1, h: 64, w: 64, c: 64 };
const globalShape = poolShape({
  input: [1, 64, 64, 64],
  pool: [64, 64],
  strides: [64, 64],
  padding: 'valid',
});

/** Global average pooling of a large image: what ends ResNet50 and InceptionV3, on large images. */
export const globalPoolingLadder: Ladder = {
  kernel: 'global-pooling',
  problem: 'global average pooling of (1, 64, 64, 64)',
  inputs: { x: inputs(globalShape) },
  output: { name: 'y', length: outputs(globalShape) },
  rungs: [
    {
      name: 'one thread per channel',
      plan: (target) => planAveragePoolForward(globalShape, target, 'scalar'),
    },
    { name: 'parts, then their sum', plan: (target) => planGlobalAveragePoolForward(image, target) },
  ],
};

function planNaiveGradient(shape: PoolShape, target: KernelTarget): Plan {
  const { h, w, c, oh, ow, poolH, poolW, strideH, strideW, padTop, padLeft } = shape;
  const count = inputs(shape);
  return {
    kernel: 'max-pool-gradient',
    variant: 'naive',
    temporaries: {},
    flops: outputs(shape) * poolH * poolW,
    bytes: 4 * (2 * count + outputs(shape)),
    dispatches: [
      {
        shader: 'pooling/max-gradient-naive',
        constants: { WORKGROUP: FLAT_WORKGROUP },
        uniforms: { count, h, w, c, oh, ow, poolH, poolW, strideH, strideW, padTop, padLeft },
        bindings: { x: 'x', dy: 'dy', dx: 'dx' },
        grid: grid1d(count, FLAT_WORKGROUP, target),
      },
    ],
  };
}

function inputs({ n, h, w, c }: PoolShape): number {
  return n * h * w * c;
}

function outputs({ n, oh, ow, c }: PoolShape): number {
  return n * oh * ow * c;
}
