import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GpuBuffer } from './buffer.ts';
import { BufferPool, sizeClass } from './pool.ts';

describe('sizeClass', () => {
  it('is at least the size, wastes at most a sixteenth, and is its own class', () => {
    fc.assert(
      fc.property(fc.integer({ min: 257, max: 2 ** 40 }), (bytes) => {
        const capacity = sizeClass(bytes);
        expect(capacity).toBeGreaterThanOrEqual(bytes);
        expect(capacity).toBeLessThanOrEqual(Math.max(bytes * 1.0625, bytes + 256));
        expect(capacity % 256).toBe(0);
        expect(sizeClass(capacity)).toBe(capacity);
      }),
    );
  });
});

describe('BufferPool', () => {
  function pool(capBytes: number): { pool: BufferPool; destroyed: number[]; evicted: number[] } {
    const destroyed: number[] = [];
    const evicted: number[] = [];
    const device = {
      createBuffer: ({ size }: { size: number }) => ({ destroy: () => destroyed.push(size) }),
      queue: { writeBuffer: () => undefined },
      pushErrorScope: () => undefined,
      popErrorScope: () => Promise.resolve(null),
    } as unknown as GPUDevice;
    const options = {
      maxBufferBytes: 2 ** 20,
      capBytes,
      trackOwners: true,
      onEvict: (id: number) => evicted.push(id),
      onLoss: () => undefined,
    };
    return { pool: new BufferPool(device, options), destroyed, evicted };
  }

  /** Records commands, each of which uses some buffers, from the `first` on. */
  function use(p: BufferPool, commands: readonly (readonly GpuBuffer[])[], first = 0): void {
    commands.forEach((buffers, index) => {
      for (const buffer of buffers) p.use(buffer, first + index, first + index);
    });
  }

  /** A recording of a chain: each of these sizes is computed from the one before it, and the last is left. */
  function chain(p: BufferPool, sizes: readonly number[]): GpuBuffer[] {
    const buffers = sizes.map((bytes, index) => p.create(bytes, String(index)));
    use(
      p,
      buffers.map((buffer, index) => [buffer, ...buffers.slice(index - 1, index)]),
    );
    for (const buffer of buffers.slice(0, -1)) p.release(buffer);
    p.allocateUsed();
    return buffers;
  }

  it('makes nothing until it is known what uses a buffer when, and then what is used at a time', () => {
    const { pool: p } = pool(2 ** 30);
    const a = p.create(5120, 'a');
    expect(p.report()).toMatchObject({ liveBytes: 5120, liveBuffers: 1, peakBytes: 0 });
    expect(() => a.id).toThrow(/'a' has no memory yet/);
    p.release(a);
    const last = chain(p, [10_240, 9216, 8192, 5120, 256]).at(-1);
    expect(p.made).toBe(3);
    expect(p.report()).toEqual({
      ...{ liveBytes: 256, liveBuffers: 1, pooledBytes: 10_240 + 9216, pooledBuffers: 2 },
      peakBytes: 10_240 + 9216 + 256,
    });
    expect(last).toMatchObject({ size: 256, capacity: 256 });
  });

  it('gives a recording like one before the same memory, whatever came between', () => {
    const { pool: p } = pool(2 ** 30);
    const sizes = [10_240, 9216, 8192, 5120, 256];
    const run = (): number[] => {
      const buffers = chain(p, sizes);
      const ids = buffers.map(({ id }) => id);
      p.release(buffers.at(-1) ?? p.create(1, 'none'));
      return ids;
    };
    const first = run();
    expect(run()).toEqual(first);
    for (const buffer of chain(p, [9216, 256, 10_240]).slice(-1)) p.release(buffer);
    const { made } = p;
    expect(run()).toEqual(first);
    expect(p.made).toBe(made);
  });

  it('lets a smaller recording use the memory of a larger one, but nothing that is kept', () => {
    const { pool: p } = pool(2 ** 30);
    chain(p, [20_480, 16_384, 256]);
    const { made } = p;
    chain(p, [5120, 5120, 256]);
    // Only what is left at the end of each.
    expect(p.made).toBe(made + 1);
    const kept = p.create(5120, 'weights');
    use(p, [[kept]]);
    p.allocateUsed();
    expect(p.made).toBe(made + 2);
  });

  it('writes into no memory that recorded commands use, nor commands that wait', async () => {
    const { pool: p } = pool(2 ** 30);
    const filled = (waiting: readonly Set<number>[] = []): GpuBuffer => {
      const buffer = p.create(1024, 'filled');
      p.write(buffer, 0, new Uint8Array(4), waiting);
      return buffer;
    };
    const a = filled();
    use(p, [[a]]);
    p.release(a);
    const b = filled();
    expect(b.id).not.toBe(a.id);
    p.allocateUsed();
    await p.failures(() => false);
    const word = new Uint8Array(4);
    expect(p.write(b, 0, word, [new Set([b.id])])).toBe(false);
    expect(p.write(b, 0, word, [new Set([a.id])])).toBe(true);
    expect(filled().id).toBe(a.id);
  });

  it('keeps free memory up to its cap, and above it what the last recording used', () => {
    const { pool: p, destroyed, evicted } = pool(4096);
    const old = [p.create(1024, 'a'), p.create(2048, 'b')];
    use(p, [old]);
    for (const buffer of old) p.release(buffer);
    p.allocateUsed();
    const ids = old.map(({ id }) => id);
    chain(p, [4096, 4096, 256]);
    expect(p.report()).toMatchObject({ pooledBytes: 8192, pooledBuffers: 2, peakBytes: 3072 + 8192 + 256 });
    expect(destroyed).toEqual([]);
    for (const destroy of p.takePendingDestruction()) destroy();
    expect(destroyed.toSorted()).toEqual([1024, 2048]);
    expect(evicted.toSorted()).toEqual(ids.toSorted());
  });

  it('gives everything free back when trimmed', () => {
    const { pool: p, destroyed } = pool(2 ** 30);
    chain(p, [5000, 256]);
    p.trim();
    for (const destroy of p.takePendingDestruction()) destroy();
    expect(destroyed).toHaveLength(1);
    expect(p.report().pooledBytes).toBe(0);
  });

  it('names who holds a buffer', () => {
    const { pool: p } = pool(1024);
    p.create(64, 'weights of dense');
    expect(p.owners()).toMatchObject([{ label: 'weights of dense', bytes: 256 }]);
    expect(p.owners()[0]?.stack).toContain('pool.test.ts');
  });

  it('makes buffers of whole words where the adapter allows an odd number of bytes', () => {
    const device = {
      createBuffer: () => ({ destroy: () => undefined }),
      pushErrorScope: () => undefined,
      popErrorScope: () => Promise.resolve(null),
    } as unknown as GPUDevice;
    const options = {
      maxBufferBytes: 2 ** 32 - 1,
      capBytes: 0,
      trackOwners: false,
      onEvict: () => undefined,
      onLoss: () => undefined,
    };
    const { capacity } = new BufferPool(device, options).create(2 ** 32 - 1000, 'x');
    expect(capacity).toBe(2 ** 32 - 256);
  });

  it('refuses sizes that are none or too large', () => {
    const { pool: p } = pool(1024);
    expect(() => p.create(NaN, 'x')).toThrow(/no number of bytes/);
    expect(() => p.create(2 ** 21, 'x')).toThrow(/the adapter allows 1048576/);
  });
});
