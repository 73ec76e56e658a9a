import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack } from './packing.ts';

const lifetimes = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 1000 }), first: fc.nat(40), length: fc.nat(12) })
    .map(({ bytes, first, length }) => ({ bytes, first, last: length === 12 ? Infinity : first + length })),
  { maxLength: 60 },
);

describe('pack', () => {
  it('never puts two things into one buffer at a time, nor a thing into one that is too small', () => {
    fc.assert(
      fc.property(lifetimes, (of) => {
        const { blockOf, blocks } = pack(of);
        of.forEach((a, i) => {
          expect(blocks[blockOf[i] ?? -1]).toBeGreaterThanOrEqual(a.bytes);
          for (const [j, b] of of.entries()) {
            if (j <= i || blockOf[j] !== blockOf[i]) continue;
            expect(a.last < b.first || b.last < a.first).toBe(true);
          }
        });
        // No buffer is larger than what lies in it, and none is empty.
        blocks.forEach((bytes, block) => {
          expect(Math.max(...of.filter((_, i) => blockOf[i] === block).map((a) => a.bytes))).toBe(bytes);
        });
        expect(blocks).toEqual(blocks.toSorted((a, b) => b - a));
      }),
    );
  });

  it('needs the peak of what is in use for a chain, as a plain network is', () => {
    const chain = Array.from({ length: 20 }, (_, i) => ({ bytes: 100 - i, first: i, last: i + 1 }));
    expect(pack(chain).blocks).toEqual([100, 99]);
  });

  it('lets a thing of its own time into the smallest buffer that holds it', () => {
    const of = [
      { bytes: 100, first: 0, last: 1 },
      { bytes: 10, first: 0, last: 1 },
      { bytes: 9, first: 2, last: 2 },
    ];
    expect(pack(of)).toEqual({ blockOf: [0, 1, 1], blocks: [100, 10] });
  });
});
