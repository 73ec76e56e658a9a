import type { KernelTarget, Plan } from '../../commands/plan.ts';
import { grid1d } from '../grid.ts';
import type { Ladder } from '../ladder.ts';
import { FLAT_WORKGROUP } from '../windows.ts';
import { planGlobalAveragePoolForward } from './global.ts';
import { planAveragePoolForward, planMaxPoolForward, planMaxPoolInputGradient } from './pooling.ts';
import { poolShape, type PoolShape } from './shape.ts';

const inputs = ({ n, h, w, c }: PoolShape) => n * h * w * c;
const outputs = ({ n, oh, ow, c }: PoolShape) => n * oh * ow * c;

/** Max pooling, the second of VGG16 at 150x150, a batch of four. */
export function poolingLadder(): Ladder {
  const shape = poolShape({ input: [4, 75, 75, 128], pool: [2, 2], strides: [2, 2], padding: 'valid' });
  return {
    kernel: 'pooling',
    problem: 'max pooling 2x2/2 of (4, 75, 75, 128)',
    inputs: { x: inputs(shape) },
    output: { name: 'y', length: outputs(shape) },
    rungs: [
      { name: 'one thread per output', plan: (target) => planMaxPoolForward(shape, target, 'scalar') },
      { name: 'four channels per thread', plan: (target) => planMaxPoolForward(shape, target, 'vec4') },
    ],
  };
}

/** Average pooling as in every mixed block of InceptionV3. */
export function averagePoolingLadder(): Ladder {
  const shape = poolShape({ input: [4, 16, 16, 288], pool: [3, 3], strides: [1, 1], padding: 'same' });
  return {
    kernel: 'average-pooling',
    problem: 'average pooling 3x3/1 of (4, 16, 16, 288), SAME',
    inputs: { x: inputs(shape) },
    output: { name: 'y', length: outputs(shape) },
    rungs: [
      { name: 'one thread per output', plan: (target) => planAveragePoolForward(shape, target, 'scalar') },
      { name: 'four channels per thread', plan: (target) => planAveragePoolForward(shape, target, 'vec4') },
    ],
  };
}

/** Gradient of max pooling with overlapping windows. */
export function maxPoolGradientLadder(): Ladder {
  const shape = poolShape({ input: [4, 35, 35, 192], pool: [3, 3], strides: [2, 2], padding: 'same' });
  return {
    kernel: 'max-pooling-gradient',
    problem: 'gradient of max pooling 3x3/2 of (4, 35, 35, 192), SAME',
    inputs: { x: inputs(shape), dy: outputs(shape) },
    output: { name: 'dx', length: inputs(shape) },
    rungs: [
      { name: 'search windows in the gather', plan: (target) => planNaiveGradient(shape, target) },
      {
        name: 'find positions, then gather',
        plan: (target) => planMaxPoolInputGradient(shape, target, 'scalar'),
      },
      {
        name: '.. four channels per thread',
        plan: (target) => planMaxPoolInputGradient(shape, target, 'vec4'),
      },
    ],
  };
}

/** Global average pooling of a large plane: what ends ResNet50 and InceptionV3, on large pictures. */
export function globalPoolingLadder(): Ladder {
  const plane = { n: 1, h: 64, w: 64, c: 64 };
  const { n, h, w, c } = plane;
  const shape = poolShape({ input: [n, h, w, c], pool: [h, w], strides: [h, w], padding: 'valid' });
  return {
    kernel: 'global-pooling',
    problem: 'global average pooling of (1, 64, 64, 64)',
    inputs: { x: inputs(shape) },
    output: { name: 'y', length: n * c },
    rungs: [
      { name: 'one thread per channel', plan: (target) => planAveragePoolForward(shape, target, 'scalar') },
      { name: 'parts, then their sum', plan: (target) => planGlobalAveragePoolForward(plane, target) },
    ],
  };
}

function planNaiveGradient(shape: PoolShape, target: KernelTarget): Plan {
  const { h, w, c, oh, ow, ph, pw, sh, sw, top, left } = shape;
  const count = inputs(shape);
  return {
    kernel: 'max-pool-gradient',
    variant: 'naive',
    temporaries: {},
    flops: outputs(shape) * ph * pw,
    bytes: 4 * (2 * count + outputs(shape)),
    dispatches: [
      {
        shader: 'pooling/max-gradient-naive',
        constants: { WORKGROUP: FLAT_WORKGROUP },
        uniforms: { count, h, w, c, oh, ow, ph, pw, sh, sw, top, left },
        bindings: { x: 'x', dy: 'dy', dx: 'dx' },
        grid: grid1d(count, FLAT_WORKGROUP, target),
      },
    ],
  };
}
