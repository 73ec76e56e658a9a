import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFloats, runPlan, withGpu } from '../testing.ts';
import { planCrop2d, planZeroPad2d, type PaddingShape } from './padding.ts';
import { crop, zeroPad } from './reference.ts';

const side = fc.integer({ min: 0, max: 5 });
const size = fc.integer({ min: 1, max: 9 });
const shapes = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  h: size,
  w: size,
  c: size,
  top: side,
  bottom: side,
  left: side,
  right: side,
});

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('padding %s', (_, options) => {
  const gpu = withGpu(options);

  async function check(shape: PaddingShape): Promise<void> {
    const { n, h, w, c } = shape;
    const x = randomFloats(n * h * w * c, 3);
    const padded = zeroPad(shape, x);
    const { target } = gpu();
    const { y } = await runPlan(gpu(), planZeroPad2d(shape, target), { x }, { y: padded.length });
    expect([...y]).toEqual([...padded]);
    const dy = randomFloats(padded.length, 4);
    const { dx } = await runPlan(gpu(), planCrop2d(shape, target), { dy }, { dx: x.length });
    expect([...dx]).toEqual([...crop(shape, dy)]);
  }

  it('frames and unframes random shapes', async () => {
    await fc.assert(fc.asyncProperty(shapes, check), { numRuns: 20, seed: 4 });
  });

  it.each<PaddingShape>([
    { n: 2, h: 15, w: 17, c: 5, top: 3, bottom: 2, left: 1, right: 4 },
    // Rows larger than 4096 bytes.
    { n: 2, h: 2, w: 30, c: 40, top: 1, bottom: 1, left: 1, right: 1 },
    // Whole bindings of nothing but frame.
    { n: 2, h: 1, w: 1, c: 3, top: 40, bottom: 40, left: 9, right: 9 },
  ])('frames and unframes %o', check);

  it('refuses negative sides', () => {
    const shape = { n: 1, h: 2, w: 2, c: 1, top: -1, bottom: 0, left: 0, right: 0 };
    expect(() => planZeroPad2d(shape, gpu().target)).toThrow(/top is -1/);
  });
});
