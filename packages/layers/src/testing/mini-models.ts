import {
  Activation,
  AveragePooling2D,
  BatchNormalization,
  Concatenate,
  Conv2D,
  Dense,
  Flatten,
  GlobalAveragePooling2D,
  input,
  MaxPooling2D,
  Model,
  NameScope,
  Sequential,
  type SymbolicTensor,
} from '../index.ts';

/** The small VGG of the golden files: three convolutions, two dense layers, one sigmoid. */
export function miniVgg(): Model {
  const names = new NameScope();
  const same = { kernelSize: 3, padding: 'same', activation: 'relu' };
  return new Sequential({
    name: 'mini_vgg',
    names,
    layers: [
      input({ shape: [20, 20, 3], names }),
      new Conv2D({ ...same, filters: 8, name: 'block1_conv1' }),
      new Conv2D({ ...same, filters: 8, name: 'block1_conv2' }),
      new MaxPooling2D({ name: 'block1_pool' }),
      new Conv2D({ ...same, filters: 12, name: 'block2_conv1' }),
      new MaxPooling2D({ name: 'block2_pool' }),
      new Flatten({ names }),
      new Dense({ units: 16, activation: 'relu', names }),
      new Dense({ units: 1, activation: 'sigmoid', names }),
    ],
  });
}

/** The small Inception of the golden files: branches, batch normalisation, odd kernels, softmax over four classes. */
export function miniInception(): Model {
  const names = new NameScope();
  const unit = (
    x: SymbolicTensor,
    filters: number,
    kernelSize: number | [number, number],
    other: { strides?: number; padding?: string } = {},
  ): SymbolicTensor => {
    const conv = new Conv2D({ filters, kernelSize, padding: 'same', useBias: false, names, ...other }).apply(
      x,
    );
    const normal = new BatchNormalization({ axis: 3, scale: false, names }).apply(conv);
    return new Activation({ activation: 'relu', names }).apply(normal);
  };
  const inputs = input({ shape: [33, 29, 3], names });
  const valid = { strides: 2, padding: 'valid' };
  const stem = new MaxPooling2D({ poolSize: 3, strides: 2, names }).apply(unit(inputs, 8, 3, valid));
  const branch1 = unit(stem, 6, 1);
  const branch5 = unit(unit(stem, 5, 1), 7, 5);
  const branch7 = unit(unit(stem, 4, [1, 7]), 6, [7, 1]);
  const pooled = new AveragePooling2D({ poolSize: 3, strides: 1, padding: 'same', names }).apply(stem);
  const branchPool = unit(pooled, 5, 1);
  const mixed0 = new Concatenate({ axis: 3, name: 'mixed0' }).apply([branch1, branch5, branch7, branchPool]);
  const reduced = unit(mixed0, 6, 3, valid);
  const largest = new MaxPooling2D({ poolSize: 3, strides: 2, names }).apply(mixed0);
  const mixed1 = new Concatenate({ axis: 3, name: 'mixed1' }).apply([reduced, largest]);
  const features = new GlobalAveragePooling2D({ name: 'avg_pool' }).apply(mixed1);
  const outputs = new Dense({ units: 4, activation: 'softmax', name: 'predictions' }).apply(features);
  return new Model({ inputs, outputs, name: 'mini_inception' });
}
