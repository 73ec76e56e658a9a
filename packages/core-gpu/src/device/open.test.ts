import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { GpuEntry } from '../platform/entry.ts';
import { openGpu } from './open.ts';

const platform = vi.hoisted(() => ({
  openEntry: vi.fn<() => Promise<GpuEntry>>(),
  environment: new Map<string, string>(),
}));

vi.mock('#platform', () => ({
  openEntry: platform.openEntry,
  environment: (name: string) => platform.environment.get(name),
  cachedTable: () => Promise.resolve(undefined),
  awaitSoftware: <T>(work: Promise<T>) => work,
  hold: () => () => undefined,
}));

const limits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
};

/** A platform whose adapter is as given, with a device that only listens. */
function offer(adapter: Partial<GPUAdapter> | null): void {
  platform.openEntry.mockResolvedValue({
    requestAdapter: () => Promise.resolve(adapter as GPUAdapter | null),
  });
}

function device(): { device: GPUDevice; raise: (error: Partial<GPUError>) => void } {
  const target = new EventTarget();
  const raise = (error: Partial<GPUError>): void => {
    target.dispatchEvent(Object.assign(new Event('uncapturederror'), { error }));
  };
  const rest = {
    features: new Set<string>(),
    limits,
    lost: new Promise(() => undefined),
    createBuffer: () => ({ destroy: () => undefined }),
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(null),
    destroy: () => undefined,
  };
  return { device: Object.assign(target, rest) as unknown as GPUDevice, raise };
}

const info = { vendor: 'acme', architecture: 'one', device: 'acme-one', description: 'acme 1.0' };
const adapter = {
  features: new Set<GPUFeatureName>(),
  info: info as GPUAdapterInfo,
  limits: limits as unknown as GPUSupportedLimits,
};

describe('openGpu', () => {
  beforeEach(() => {
    platform.environment.clear();
  });

  it('says what to do where there is no adapter', async () => {
    offer(null);
    await expect(openGpu()).rejects.toMatchObject({
      code: 'adapter/none',
      fix: expect.stringContaining('doctor') as string,
    });
  });

  it('refuses an adapter whose limits are too small, by name', async () => {
    const small = { ...limits, maxComputeWorkgroupStorageSize: 8192 } as unknown as GPUSupportedLimits;
    offer({ ...adapter, limits: small });
    await expect(openGpu()).rejects.toMatchObject({
      code: 'adapter/limits',
      message: expect.stringContaining('maxComputeWorkgroupStorageSize is 8192') as string,
      where: 'acme-one · acme 1.0',
    });
  });

  it('says so when the adapter gives no device', async () => {
    offer({ ...adapter, requestDevice: () => Promise.reject(new Error('busy')) });
    await expect(openGpu()).rejects.toMatchObject({ code: 'adapter/device', where: 'acme-one · acme 1.0' });
  });

  it('asks for no more than the adapter has', async () => {
    const requestDevice = vi.fn(() => Promise.resolve(device().device));
    offer({ ...adapter, requestDevice });
    (await openGpu()).destroy();
    expect(requestDevice).toHaveBeenCalledWith({
      requiredFeatures: [],
      requiredLimits: {
        maxStorageBufferBindingSize: 2 ** 27,
        maxBufferSize: 2 ** 28,
        maxComputeWorkgroupStorageSize: 16384,
        maxComputeInvocationsPerWorkgroup: 256,
        maxComputeWorkgroupSizeX: 256,
      },
    });
  });

  it('asks for tensor cores only when it is told to', async () => {
    const requestDevice = vi.fn((_wanted?: GPUDeviceDescriptor) => Promise.resolve(device().device));
    const features = new Set(['subgroups', 'chromium-experimental-subgroup-matrix']) as Set<GPUFeatureName>;
    offer({ ...adapter, features, requestDevice });
    const asked = async (options?: Parameters<typeof openGpu>[0]) => {
      (await openGpu(options)).destroy();
      return requestDevice.mock.lastCall?.[0]?.requiredFeatures;
    };
    expect(await asked()).toEqual(['subgroups']);
    expect(await asked({ experimental: { subgroupMatrix: true } })).toEqual([...features]);
    platform.environment.set('CONVBASE_EXPERIMENTAL', 'subgroup-matrix');
    expect(await asked()).toEqual([...features]);
    expect(await asked({ experimental: { subgroupMatrix: false } })).toEqual(['subgroups']);
    platform.environment.set('CONVBASE_EXPERIMENTAL', 'subgroup-matrices');
    await expect(openGpu()).rejects.toMatchObject({ code: 'adapter/experiment' });
  });

  it('turns what the device reports into errors at the next call', async () => {
    const { device: given, raise } = device();
    offer({ ...adapter, requestDevice: () => Promise.resolve(given) });
    const gpu = await openGpu();
    raise({ message: 'Out of memory: 8 GiB' });
    await expect(gpu.flush()).rejects.toMatchObject({ code: 'device/out-of-memory' });
    expect(() => gpu.createBuffer(4, 'a')).toThrow(/no memory left/);
    gpu.destroy();
  });
});
