import { describe, expect, it } from 'vitest';
import { chooseConv2dFilterGradient, chooseConv2dForward } from './choose.ts';
import { conv2dShape } from './shape.ts';
import { gpuTarget as gpu, softwareTarget as software } from '../testing-targets.ts';

const shape = (size: number, ci: number, co: number, n = 1) =>
  conv2dShape({ input: [n, size, size, ci], kernel: [3, 3, ci, co], strides: [1, 1], padding: 'same' });

describe('chooseConv2dForward', () => {
  it('gives GPUs shared-memory tiles, larger ones where there are enough of them', () => {
    expect(chooseConv2dForward(shape(150, 64, 128, 8), gpu)).toEqual({
      variant: 'tiled',
      rows: 8,
      columns: 2,
      splits: 1,
    });
    expect(chooseConv2dForward(shape(150, 64, 64, 8), gpu)).toMatchObject({ rows: 8, columns: 1, splits: 1 });
  });

  it('cuts the sum into parts on GPUs where there are few tiles, all images of the batch in one', () => {
    expect(chooseConv2dForward(shape(9, 512, 512), gpu)).toEqual({
      variant: 'tiled',
      rows: 4,
      columns: 1,
      splits: 16,
    });
    expect(chooseConv2dForward(shape(9, 512, 512, 8), gpu)).toMatchObject({ rows: 4, splits: 2 });
    // A short sum is not worth it.
    expect(chooseConv2dForward(shape(9, 8, 512), gpu).variant).toBe('tiled');
    expect(chooseConv2dForward(shape(9, 8, 512), gpu)).toMatchObject({ splits: 1 });
  });

  it('gives software adapters register tiles, with shuffles only where subgroups have 8 lanes', () => {
    expect(chooseConv2dForward(shape(37, 128, 128), software)).toEqual({
      variant: 'outer-product',
      tileM: 32,
      tileN: 64,
    });
    expect(chooseConv2dForward(shape(37, 128, 32), software)).toEqual({
      variant: 'outer-product',
      tileM: 64,
      tileN: 32,
    });
    for (const subgroupSize of [0, 4, 16]) {
      expect(chooseConv2dForward(shape(37, 128, 128), { ...software, subgroupSize }).variant).toBe(
        'register',
      );
    }
  });

  it('wastes no large tile on few pixels', () => {
    expect(chooseConv2dForward(shape(1, 512, 512), software)).toEqual({ variant: 'subgroup', groups: 1 });
    expect(chooseConv2dForward(shape(3, 512, 96), software)).toEqual({ variant: 'subgroup', groups: 2 });
  });
});

describe('chooseConv2dFilterGradient', () => {
  it('splits the pixels where there are few weights, and only there', () => {
    expect(chooseConv2dFilterGradient(shape(150, 4, 64), software).splits).toBeGreaterThan(1);
    expect(chooseConv2dFilterGradient(shape(9, 512, 512), software)).toEqual({
      variant: 'subgroup',
      columns: 2,
      splits: 1,
    });
    expect(chooseConv2dFilterGradient(shape(3, 4, 4), software).splits).toBe(1);
  });
});
