import { describe, expect, it } from 'vitest';
import { describeAdapter } from './adapter.ts';
import { fragmentShapes, SUBGROUP_MATRIX } from './kernel-target.ts';

function info(values: Partial<GPUAdapterInfo>): GPUAdapterInfo {
  return { vendor: '', architecture: '', device: '', description: '', ...values } as GPUAdapterInfo;
}

describe('describeAdapter', () => {
  it('names a GPU and its driver', () => {
    const adapter = info({ vendor: 'nvidia', device: 'nvidia-h200', description: 'NVIDIA: 550.120' });
    expect(describeAdapter(adapter, undefined)).toMatchObject({
      name: 'nvidia-h200 · NVIDIA: 550.120',
      kind: 'gpu',
    });
  });

  it('knows rasterisers by their names', () => {
    const llvmpipe = info({ architecture: 'software', description: 'llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)' });
    expect(describeAdapter(llvmpipe, undefined)).toMatchObject({
      name: 'llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)',
      kind: 'software',
    });
    expect(describeAdapter(info({ description: 'Microsoft Basic Render Driver' }), undefined).kind).toBe(
      'software',
    );
    expect(describeAdapter(info({ vendor: 'google', architecture: 'swiftshader' }), undefined).kind).toBe(
      'software',
    );
  });

  it('makes do with what a browser tells', () => {
    const masked = info({ vendor: 'apple', architecture: 'metal-3' });
    expect(describeAdapter(masked, undefined)).toMatchObject({ name: 'apple metal-3', kind: 'gpu' });
    expect(describeAdapter(info({}), undefined).name).toBe('unnamed adapter');
    expect(describeAdapter(info({}), 'null')).toMatchObject({ name: 'null backend', kind: 'null' });
  });
});

describe('fragmentShapes', () => {
  const config = (componentType: string, resultComponentType: string, M: number, N: number, K: number) => {
    return { componentType, resultComponentType, M, N, K };
  };
  const subgroupMatrixConfigs = [
    config('f16', 'f16', 16, 16, 16),
    config('f16', 'f32', 8, 16, 32),
    config('i8', 'i32', 16, 16, 32),
    config('f32', 'f32', 8, 8, 8),
  ];
  const adapter = info({ subgroupMatrixConfigs } as Partial<GPUAdapterInfo>);

  it('lists those that sum in float32', () => {
    const float32 = { element: 'f32', m: 8, n: 8, k: 8 };
    expect(fragmentShapes(adapter, new Set([SUBGROUP_MATRIX, 'shader-f16']))).toEqual([
      { element: 'f16', m: 8, n: 16, k: 32 },
      float32,
    ]);
    expect(fragmentShapes(adapter, new Set([SUBGROUP_MATRIX]))).toEqual([float32]);
  });

  it('lists nothing unless the device was asked for it, nor where nobody tells', () => {
    expect(fragmentShapes(adapter, new Set(['shader-f16']))).toEqual([]);
    expect(fragmentShapes(info({}), new Set([SUBGROUP_MATRIX]))).toEqual([]);
  });
});
