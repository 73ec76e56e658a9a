import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareStaging, StagingPool } from './staging.ts';

describe('StagingPool', () => {
  it('makes no buffer larger than the device allows', () => {
    const device = {
      limits: { maxBufferSize: 1100 },
      createBuffer: ({ size }: { size: number }) => ({ size }),
    } as unknown as GPUDevice;
    const pool = new StagingPool(device);
    expect([1, 1000, 1100].map((bytes) => pool.take(bytes, 'x').size)).toEqual([256, 1024, 1100]);
  });
});

describe('shareStaging', () => {
  it('takes another buffer where the limit is reached', () => {
    expect(shareStaging([4, 12, 20, 64], 64)).toEqual([
      {
        bytes: 44,
        parts: [
          { index: 0, offset: 0 },
          { index: 1, offset: 8 },
          { index: 2, offset: 24 },
        ],
      },
      { bytes: 64, parts: [{ index: 3, offset: 0 }] },
    ]);
  });

  it('gives every range an offset of its own within the limit', () => {
    const limit = 1000;
    const lengths = fc.array(fc.integer({ min: 0, max: limit / 4 }).map((floats) => 4 * floats));
    fc.assert(
      fc.property(lengths, (all) => {
        const shares = shareStaging(all, limit);
        const order = shares.flatMap(({ parts }) => parts.map(({ index }) => index));
        expect(order).toEqual(all.map((_, index) => index));
        for (const { bytes, parts } of shares) {
          let end = 0;
          for (const { index, offset } of parts) {
            expect(offset % 8).toBe(0);
            expect(offset).toBeGreaterThanOrEqual(end);
            end = offset + (all[index] ?? NaN);
          }
          expect(bytes).toBe(end);
          expect(bytes).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});
