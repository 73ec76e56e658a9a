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
    const free = { liveBytes: 0, liveBuffers: 0, pooledBytes: 1024, pooledBuffers: 1, peakBytes: 2048 };
    expect(p.report()).toEqual(free);
    expect(destroyed).toEqual([]);
    for (const destroy of p.takeDoomed()) destroy();
    expect(destroyed).toEqual([1024]);
    expect(evicted).toEqual([buffers[1]?.id]);
    expect(p.create(1000, 'c').id).toBe(buffers[0]?.id);
  });

  it('hands out the same buffers in whatever order they were released', () => {
    const { pool: p } = pool(2 ** 30);
    const take = () => ['a', 'b', 'c', 'd'].map((label) => p.create(1000, label));
    const first = take();
    const ids = first.map(({ id }) => id);
    let held = first;
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const now = held;
      for (const index of order) p.release(now[index] ?? p.create(1000, 'none'));
      held = take();
      expect(held.map(({ id }) => id)).toEqual(ids);
    }
    expect(p.made).toBe(4);
  });

  it('puts what is soon given back into a larger free buffer, but not into a far larger one', () => {
    const { pool: p } = pool(2 ** 30);
    const large = p.create(16_384, 'large');
    const larger = p.create(20_480, 'larger');
    p.release(large);
    p.release(larger);
    const small = p.create(5000, 'small');
    expect(small).toMatchObject({ id: large.id, size: 5000, capacity: 16_384 });
    expect(p.report()).toMatchObject({ liveBytes: 16_384, pooledBytes: 20_480 });
    expect(p.create(5000, 'weights', { lasting: true }).capacity).toBe(5120);
    expect(p.create(256, 'tiny').capacity).toBe(256);
    p.release(small);
    expect(p.create(20_000, 'like the larger one').id).toBe(larger.id);
    expect(p.report().peakBytes).toBe(16_384 + 20_480 + 5120 + 256);
  });

  it('leaves aside buffers that are to be avoided', () => {
    const { pool: p } = pool(2 ** 30);
    const [a, b] = [p.create(1000, 'a'), p.create(1000, 'b')];
    p.release(a);
    p.release(b);
    expect(p.create(1000, 'c', { avoid: new Set([a.id]) }).id).toBe(b.id);
    expect(p.create(1000, 'd', { avoid: new Set([a.id]) }).id).not.toBe(a.id);
    expect(p.create(1000, 'e').id).toBe(a.id);
    expect(p.made).toBe(3);
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
