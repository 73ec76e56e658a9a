import { describe, expect, it } from 'vitest';
import { expectClose, runPlan, withGpu } from '../testing.ts';
import { planOneHot, planPreprocess, type PreprocessMode } from './preprocess.ts';
import { preprocess } from './reference.ts';

const modes: PreprocessMode[] = ['caffe', 'tf', 'rescale', 'none'];

/** Every byte value in every channel, in an order without a short period. */
function pixelBytes(pixels: number): Uint8Array {
  return Uint8Array.from({ length: 3 * pixels }, (_, i) => (i * 37 + (i >> 8) * 101) & 255);
}

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('preprocessing %s', (_, options) => {
  const gpu = withGpu(options);

  for (const mode of modes) {
    it.each([1, 2, 3, 4, 5, 255, 256, 257, 2000])(`${mode} of %i pixels`, async (pixels) => {
      const bytes = pixelBytes(pixels);
      const plan = planPreprocess({ pixels, mode }, gpu().target);
      const { y } = await runPlan(gpu(), plan, { bytes }, { y: 3 * pixels });
      // Exact to the rounding of a number below 256 ('caffe') or below 1.
      const magnitude = mode === 'caffe' ? 64 : 0.5;
      expectClose(y, preprocess(mode, bytes), { magnitude: mode === 'none' ? 0 : magnitude });
    });
  }

  it.each([
    { rows: 1, classes: 1 },
    { rows: 7, classes: 10 },
    { rows: 3000, classes: 2 },
    { rows: 3, classes: 2100 },
  ])('one-hot of %o', async ({ rows, classes }) => {
    const indices = Uint32Array.from({ length: rows }, (_, r) => (r * 13) % classes);
    const { y } = await runPlan(
      gpu(),
      planOneHot({ rows, classes }, gpu().target),
      { indices },
      { y: rows * classes },
    );
    const expected = new Float32Array(rows * classes);
    indices.forEach((k, r) => (expected[r * classes + k] = 1));
    expect([...y]).toEqual([...expected]);
  });

  it('gives a row of zeros for a class that is not there', async () => {
    const indices = new Uint32Array([3, 1]);
    const { y } = await runPlan(
      gpu(),
      planOneHot({ rows: 2, classes: 3 }, gpu().target),
      { indices },
      { y: 6 },
    );
    expect([...y]).toEqual([0, 0, 0, 0, 1, 0]);
  });
});
