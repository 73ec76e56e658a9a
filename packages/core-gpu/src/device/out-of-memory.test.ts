import { describe, expect, it } from 'vitest';
import type { AdapterDescription } from './adapter.ts';
import { Gpu } from './gpu.ts';
import { openGpu } from './open.ts';

/** A device with so much memory that does nothing but count; the log says what it was asked for, in order. */
function deviceWith(memory: number): { gpu: Gpu; log: string[] } {
  const log: string[] = [];
  const scopes: (Error | null)[] = [];
  let left = memory;
  const createBuffer = ({ size, label }: GPUBufferDescriptor): object => {
    if (label !== undefined) return { destroy: () => undefined };
    const fits = size <= left;
    if (fits) left -= size;
    else scopes[scopes.length - 1] = new Error('Out of memory');
    log.push(fits ? `create ${size}` : `no ${size}`);
    const destroy = (): void => {
      if (fits) left += size;
      log.push(`destroy ${size}`);
    };
    return { size, fits, destroy };
  };
  interface Fake {
    size: number;
    fits: boolean;
  }
  const use = ({ size, fits }: Fake): string => (fits ? String(size) : 'INVALID');
  const queue = {
    writeBuffer: (buffer: Fake) => log.push(`write ${use(buffer)}`),
    submit: () => log.push('submit'),
    onSubmittedWorkDone: () => Promise.resolve(),
  };
  const encoder = {
    copyBufferToBuffer: (from: Fake, _a: number, to: Fake) => log.push(`copy ${use(from)} to ${use(to)}`),
    finish: () => ({}),
  };
  const device = {
    ...{ createBuffer, queue, features: new Set<string>(), limits: { maxBufferSize: 2 ** 28 } },
    addEventListener: () => undefined,
    lost: new Promise(() => undefined),
    pushErrorScope: () => scopes.push(null),
    popErrorScope: () => Promise.resolve(scopes.pop()),
    createCommandEncoder: () => encoder,
    destroy: () => undefined,
  } as unknown as GPUDevice;
  const adapter = { name: 'fake' } as AdapterDescription;
  const target = {} as ConstructorParameters<typeof Gpu>[0]['target'];
  const gpu = new Gpu({ device, adapter, target, debug: 0, profile: false });
  return { gpu, log };
}

describe('a buffer that the device has no memory for', () => {
  it('is made again when what was recorded before is done and free buffers are given up', async () => {
    const { gpu, log } = deviceWith(4096);
    const [a, b] = [gpu.createBuffer(1024, 'a'), gpu.createBuffer(1024, 'b')];
    gpu.copy(a, b, 1024);
    gpu.releaseBuffer(a);
    const c = gpu.createBuffer(2560, 'c');
    gpu.copy(b, c, 1024);
    await gpu.flush();
    expect(log).toEqual([
      ...['create 1024', 'create 1024', 'no 2560', 'copy 1024 to 1024', 'submit'],
      ...['destroy 1024', 'create 2560', 'copy 1024 to 2560', 'submit'],
    ]);
    expect(gpu.memory()).toMatchObject({
      liveBuffers: 2,
      liveBytes: 1024 + 2560,
      pooledBytes: 0,
      pooledBuffers: 0,
    });
    gpu.releaseBuffer(c);
    const d = gpu.createBuffer(2560, 'd');
    gpu.write(d, new Uint8Array(4));
    expect(d.raw).toBe(c.raw);
  });

  it('leaves free buffers alone that later commands still use', async () => {
    const { gpu, log } = deviceWith(4096);
    const [a, b] = [gpu.createBuffer(1024, 'a'), gpu.createBuffer(1280, 'b')];
    const c = gpu.createBuffer(2560, 'c');
    gpu.copy(b, c, 1024);
    gpu.copy(b, a, 1024);
    gpu.releaseBuffer(a);
    gpu.releaseBuffer(b);
    await expect(gpu.flush()).rejects.toMatchObject({ code: 'device/out-of-memory' });
    expect(log).not.toContain('destroy 1024');
    expect(log.join()).not.toContain('INVALID');
    await expect(gpu.flush()).rejects.toThrow(/no memory left for another 1024 bytes/);
  });

  it('can wait until it is needed', async () => {
    const { gpu, log } = deviceWith(2048);
    const [a, b] = [gpu.createBuffer(1024, 'a'), gpu.createBuffer(1024, 'b')];
    const c = gpu.createBuffer(512, 'c');
    gpu.copy(a, b, 512);
    await gpu.flush();
    gpu.releaseBuffer(a);
    gpu.copy(b, c, 512);
    await gpu.flush();
    expect(log.slice(-4)).toEqual(['destroy 1024', 'create 512', 'copy 1024 to 512', 'submit']);
  });

  it('is written to when it is there, if free memory can be given up for it', async () => {
    const { gpu, log } = deviceWith(4096);
    const large = gpu.createBuffer(4096, 'large');
    gpu.write(large, new Uint8Array(4));
    await gpu.flush();
    gpu.releaseBuffer(large);
    gpu.write(gpu.createBuffer(512, 'small'), new Uint8Array(512));
    await gpu.flush();
    expect(log).toEqual(['create 4096', 'write 4096', 'no 512', 'destroy 4096', 'create 512', 'write 512']);
  });

  it('is told of as a loss if it has been written to by then', async () => {
    const { gpu, log } = deviceWith(4096);
    gpu.write(gpu.createBuffer(4096, 'large'), new Uint8Array(4));
    gpu.write(gpu.createBuffer(512, 'small'), new Uint8Array(512));
    await expect(gpu.flush()).rejects.toMatchObject({ code: 'device/out-of-memory' });
    expect(log.at(-1)).toBe('write INVALID');
  });

  it('is told of as such by Dawn, whose null backend has 512 MiB', async () => {
    const gpu = await openGpu({ backend: 'null' });
    const some = (): void => {
      gpu.write(gpu.createBuffer(200 * 2 ** 20, 'weights'), new Uint8Array(4));
    };
    some();
    some();
    await gpu.idle();
    some();
    await expect(gpu.idle()).rejects.toMatchObject({ code: 'device/out-of-memory' });
    gpu.destroy();
  });

  it('finds room in Dawn where free memory is given up', async () => {
    const gpu = await openGpu({ backend: 'null' });
    for (const bytes of [200 * 2 ** 20, 240 * 2 ** 20, 200 * 2 ** 20]) {
      const [a, b] = [gpu.createBuffer(bytes, 'a'), gpu.createBuffer(bytes, 'b')];
      gpu.copy(a, b, 1024);
      gpu.releaseBuffer(a);
      gpu.releaseBuffer(b);
      await gpu.idle();
    }
    expect(gpu.memory()).toMatchObject({ liveBuffers: 0, pooledBuffers: 2 });
    gpu.destroy();
  });
});
