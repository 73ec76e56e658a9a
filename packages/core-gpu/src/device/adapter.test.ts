import { describe, expect, it } from 'vitest';
import { describeAdapter } from './adapter.ts';

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
