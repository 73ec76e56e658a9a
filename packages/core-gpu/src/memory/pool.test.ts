import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferPool, sizeClass } from './pool.ts';

describe('sizeClass', () => {
  it('is at least the size, wastes at most an eighth, and is its own class', () => {
    fc.assert(
      fc.property(fc.integer({ min: 257, max: 2 ** 40 }), (bytes) => {
        const capacity = sizeClass(bytes);
        expect(capacity).toBeGreaterThanOrEqual(bytes);
        expect(capacity).toBeLessThanOrEqual(Math.max(bytes * 1.125, bytes + 256));
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

  it('keeps free buffers up to its cap and destroys the rest only when told that they are out of use', () => {
    const { pool: p, destroyed, evicted } = pool(1024);
    const buffers = [p.create(1024, 'a'), p.create(1024, 'b')];
    for (const buffer of buffers) p.release(buffer);
    expect(p.report()).toEqual({ liveBytes: 0, liveBuffers: 0, pooledBytes: 1024, pooledBuffers: 1 });
    expect(destroyed).toEqual([]);
    for (const destroy of p.takeDoomed()) destroy();
    expect(destroyed).toEqual([1024]);
    expect(evicted).toEqual([buffers[1]?.id]);
    expect(p.create(1000, 'c').id).toBe(buffers[0]?.id);
  });

  it('gives everything free back when trimmed', () => {
    const { pool: p, destroyed } = pool(2 ** 30);
    p.release(p.create(5000, 'a'));
    p.trim();
    for (const destroy of p.takeDoomed()) destroy();
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
