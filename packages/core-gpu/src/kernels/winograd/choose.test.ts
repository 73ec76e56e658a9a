import { describe, expect, it } from 'vitest';
import { conv2dShape, type Conv2dOptions } from '../conv2d/shape.ts';
import { chooseWinograd } from './choose.ts';
import { gpuTarget as gpu, softwareTarget as software } from '../testing-targets.ts';

const epilogue = { bias: true, relu: true };
const shape = (size: number, ci: number, co: number, n = 1, more: Partial<Conv2dOptions> = {}) =>
  conv2dShape({
    input: [n, size, size, ci],
    kernel: [3, 3, ci, co],
    strides: [1, 1],
    padding: 'same',
    ...more,
  });

describe('chooseWinograd', () => {
  it('takes 3x3 convolutions with stride 1 and many channels', () => {
    for (const target of [gpu, software, { ...software, subgroupSize: 0 }]) {
      expect(chooseWinograd(shape(37, 128, 128), epilogue, target)?.output).toBe(4);
      expect(chooseWinograd(shape(150, 64, 64, 4), epilogue, target)?.output).toBe(4);
    }
  });

  it('takes filters in one dimension, where subgroups have 8 lanes', () => {
    for (const kernel of [
      [1, 7, 128, 128],
      [7, 1, 128, 128],
    ] as const) {
      const s = shape(17, 128, 128, 1, { kernel });
      expect(chooseWinograd(s, epilogue, software)).toEqual({
        output: 4,
        product: 'outer-product',
        groups: 4,
      });
      for (const target of [gpu, { ...software, subgroupSize: 0 }])
        expect(chooseWinograd(s, epilogue, target)).toBeNull();
    }
  });

  it('leaves everything else to the direct kernels', () => {
    const others = [
      shape(37, 3, 64),
      shape(37, 128, 128, 1, { strides: [2, 2] }),
      shape(37, 128, 128, 1, { dilations: [2, 2] }),
      shape(37, 128, 128, 1, { kernel: [1, 1, 128, 128] }),
      shape(37, 128, 128, 1, { kernel: [3, 1, 128, 128] }),
      shape(37, 128, 128, 1, { kernel: [7, 7, 128, 128] }),
      shape(37, 128, 126),
      // An image and weights larger than a binding.
      shape(1000, 64, 64),
      shape(4, 2048, 2048),
    ];
    for (const target of [gpu, software]) {
      for (const s of others) expect(chooseWinograd(s, epilogue, target)).toBeNull();
    }
    const slice = { channels: 130, offset: 2 };
    expect(chooseWinograd(shape(37, 128, 128), { ...epilogue, outputSlice: slice }, software)).toBeNull();
  });

  it('gives small images small tiles, which waste less at the edges', () => {
    expect(chooseWinograd(shape(9, 512, 512, 4), epilogue, software)?.output).toBe(3);
    expect(chooseWinograd(shape(8, 512, 512, 32), epilogue, gpu)?.output).toBe(4);
    expect(chooseWinograd(shape(9, 512, 512, 32), epilogue, gpu)?.output).toBe(3);
  });

  it('saves GPUs the passes where there is little to multiply, and the transformed kernel where there are few pixels', () => {
    // Of InceptionV3 at 299x299.
    expect(chooseWinograd(shape(147, 32, 64), epilogue, gpu)).not.toBeNull();
    expect(chooseWinograd(shape(35, 64, 96), epilogue, gpu)).toBeNull();
    expect(chooseWinograd(shape(35, 64, 96, 32), epilogue, gpu)).not.toBeNull();
    expect(chooseWinograd(shape(8, 448, 384), epilogue, gpu)).toBeNull();
    expect(chooseWinograd(shape(8, 448, 384, 32), epilogue, gpu)).not.toBeNull();
    // Of VGG16 at 224x224.
    for (const [size, ci, co] of [
      [224, 64, 64],
      [112, 128, 128],
      [56, 256, 256],
      [28, 512, 512],
      [14, 512, 512],
    ] as const) {
      expect(chooseWinograd(shape(size, ci, co), epilogue, gpu)).not.toBeNull();
    }
  });
});
