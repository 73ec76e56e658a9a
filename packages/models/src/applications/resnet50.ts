import {
  Activation,
  Add,
  BatchNormalization,
  Conv2D,
  GlobalAveragePooling2D,
  MaxPooling2D,
  ZeroPadding2D,
  type SymbolicTensor,
} from '@convbase/layers';
import type { Architecture } from './architecture.ts';

/** Residual blocks of one resolution; the first of them strides. */
type Stack = readonly [name: string, filters: number, blocks: number, stride: number];

const stacks: readonly Stack[] = [
  ['conv2', 64, 3, 1],
  ['conv3', 128, 4, 2],
  ['conv4', 256, 6, 2],
  ['conv5', 512, 3, 2],
];

const relu = (x: SymbolicTensor, name: string): SymbolicTensor =>
  new Activation({ activation: 'relu', name }).apply(x);

/** A convolution and its batch normalisation, `<name>_conv` and `<name>_bn`. */
function convolve(
  x: SymbolicTensor,
  name: string,
  options: { filters: number; kernelSize: number; strides?: number; padding?: 'same' | 'valid' },
): SymbolicTensor {
  const y = new Conv2D({ strides: 1, padding: 'valid', ...options, name: `${name}_conv` }).apply(x);
  return new BatchNormalization({ epsilon: 1.001e-5, name: `${name}_bn` }).apply(y);
}

/** 1x1 down, 3x3, 1x1 up, added to what came in; where the shape changes, that goes through a 1x1 of its own. */
function bottleneck(
  x: SymbolicTensor,
  name: string,
  filters: number,
  strides: number,
  project: boolean,
): SymbolicTensor {
  const shortcut = project ? convolve(x, `${name}_0`, { filters: 4 * filters, kernelSize: 1, strides }) : x;
  const narrow = relu(convolve(x, `${name}_1`, { filters, kernelSize: 1, strides }), `${name}_1_relu`);
  const spatial = relu(
    convolve(narrow, `${name}_2`, { filters, kernelSize: 3, padding: 'same' }),
    `${name}_2_relu`,
  );
  const wide = convolve(spatial, `${name}_3`, { filters: 4 * filters, kernelSize: 1 });
  return relu(new Add({ name: `${name}_add` }).apply([shortcut, wide]), `${name}_out`);
}

/** He and others, "Deep Residual Learning for Image Recognition", 2015, with the stride in the first 1x1. */
export const resnet50Architecture: Architecture = {
  id: 'resnet50',
  title: 'ResNet50',
  preprocess: 'caffe',
  defaultSize: 224,
  minSize: 32,
  namedPooling: true,
  base(image) {
    const padded = new ZeroPadding2D({ padding: 3, name: 'conv1_pad' }).apply(image);
    const stem = relu(convolve(padded, 'conv1', { filters: 64, kernelSize: 7, strides: 2 }), 'conv1_relu');
    const border = new ZeroPadding2D({ padding: 1, name: 'pool1_pad' }).apply(stem);
    let x = new MaxPooling2D({ poolSize: 3, strides: 2, name: 'pool1_pool' }).apply(border);
    for (const [stack, filters, blocks, stride] of stacks) {
      for (let i = 1; i <= blocks; i++) {
        const first = i === 1;
        x = bottleneck(x, `${stack}_block${i}`, filters, first ? stride : 1, first);
      }
    }
    return x;
  },
  top: (features) => new GlobalAveragePooling2D({ name: 'avg_pool' }).apply(features),
};
