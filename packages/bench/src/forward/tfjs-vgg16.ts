import * as tfl from '@tensorflow/tfjs-layers';

const blocks = [
  [1, 2, 64],
  [2, 2, 128],
  [3, 3, 256],
  [4, 3, 512],
  [5, 3, 512],
] as const;

/** VGG16 without its top, built with TensorFlow.js' own layers under Keras' names. */
export function tfjsVgg16(size: number): tfl.LayersModel {
  const model = tfl.sequential();
  for (const [block, convolutions, filters] of blocks) {
    for (let i = 1; i <= convolutions; i++) {
      model.add(
        tfl.layers.conv2d({
          name: `block${String(block)}_conv${String(i)}`,
          filters,
          kernelSize: 3,
          padding: 'same',
          activation: 'relu',
          kernelInitializer: 'zeros',
          ...(block === 1 && i === 1 ? { inputShape: [size, size, 3] } : {}),
        }),
      );
    }
    model.add(tfl.layers.maxPooling2d({ name: `block${String(block)}_pool`, poolSize: 2, strides: 2 }));
  }
  return model;
}
