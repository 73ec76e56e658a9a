import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFloats, runPlan, withGpu } from '../testing.ts';
import { planConcatRead, planConcatWrite, type ConcatSlice } from './concat.ts';
import { concatRead, concatWrite } from './reference.ts';

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('concat %s', (_, options) => {
  const gpu = withGpu(options);

  async function check(slice: ConcatSlice): Promise<void> {
    const small = slice.rows * slice.channels;
    const large = slice.rows * slice.totalChannels;
    const x = randomFloats(small, 3);
    const y = randomFloats(large, 4);
    const { target } = gpu();
    const written = await runPlan(gpu(), planConcatWrite(slice, target), { x, y }, { y: large });
    expect([...written.y]).toEqual([...concatWrite(slice, x, y)]);
    const read = await runPlan(gpu(), planConcatRead(slice, target), { y }, { x: small });
    expect([...read.x]).toEqual([...concatRead(slice, y)]);
  }

  it('moves slices of random shapes', async () => {
    const slices = fc
      .record({
        rows: fc.integer({ min: 1, max: 60 }),
        channels: fc.integer({ min: 1, max: 40 }),
        offset: fc.integer({ min: 0, max: 40 }),
        after: fc.integer({ min: 0, max: 40 }),
      })
      .map(({ after, ...slice }) => ({ ...slice, totalChannels: slice.offset + slice.channels + after }));
    await fc.assert(fc.asyncProperty(slices, check), { numRuns: 15, seed: 2 });
  });

  it('moves slices whose rows are larger than a binding', async () => {
    await check({ rows: 2, channels: 1500, totalChannels: 3001, offset: 700 });
  });

  it('puts several inputs side by side', async () => {
    const parts = [3, 1, 5].map((channels, seed) => ({ channels, x: randomFloats(7 * channels, seed + 1) }));
    const y = gpu().createBuffer(4 * 7 * 9, 'y');
    let offset = 0;
    for (const { channels, x } of parts) {
      const buffer = gpu().createBuffer(x.byteLength, 'x');
      gpu().write(buffer, x);
      const slice = { rows: 7, channels, totalChannels: 9, offset };
      gpu().run(planConcatWrite(slice, gpu().target), { x: buffer, y });
      gpu().releaseBuffer(buffer);
      offset += channels;
    }
    const joined = [...new Float32Array(await gpu().read(y))];
    gpu().releaseBuffer(y);
    const expected = Array.from({ length: 7 }, (_, row) =>
      parts.flatMap(({ channels, x }) => [...x.subarray(row * channels, (row + 1) * channels)]),
    );
    expect(joined).toEqual(expected.flat());
  });

  it('refuses a slice that does not lie inside', () => {
    const slice = { rows: 1, channels: 3, totalChannels: 4, offset: 2 };
    expect(() => planConcatWrite(slice, gpu().target)).toThrow(/channels 2 to 5 do not lie in 4/);
  });
});
