import { Conv2D, Dense, Flatten, MaxPooling2D } from '@convbase/layers';
import type { Architecture } from './architecture.ts';

/** Convolutions of 3x3 with relu, `depth` of `filters` each, then a pooling that halves the plane. */
type Block = readonly [filters: number, depth: number];

/** Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014. */
function vgg(id: string, title: string, blocks: readonly Block[]): Architecture {
  return {
    id,
    title,
    preprocess: 'caffe',
    defaultSize: 224,
    minSize: 32,
    namedPooling: false,
    base(image) {
      let x = image;
      blocks.forEach(([filters, depth], index) => {
        const block = `block${index + 1}`;
        for (let i = 1; i <= depth; i++) {
          const name = `${block}_conv${i}`;
          x = new Conv2D({ filters, kernelSize: 3, padding: 'same', activation: 'relu', name }).apply(x);
        }
        x = new MaxPooling2D({ poolSize: 2, strides: 2, name: `${block}_pool` }).apply(x);
      });
      return x;
    },
    top(features) {
      const flat = new Flatten({ name: 'flatten' }).apply(features);
      const fc1 = new Dense({ units: 4096, activation: 'relu', name: 'fc1' }).apply(flat);
      return new Dense({ units: 4096, activation: 'relu', name: 'fc2' }).apply(fc1);
    },
  };
}

export const vgg16Architecture = vgg('vgg16', 'VGG16', [
  [64, 2],
  [128, 2],
  [256, 3],
  [512, 3],
  [512, 3],
]);

export const vgg19Architecture = vgg('vgg19', 'VGG19', [
  [64, 2],
  [128, 2],
  [256, 4],
  [512, 4],
  [512, 4],
]);
