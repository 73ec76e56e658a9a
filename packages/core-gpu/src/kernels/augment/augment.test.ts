import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectClose, randomFloats, runPlan, withGpu } from '../testing.ts';
import type { PreprocessMode } from '../preprocess/preprocess.ts';
import { planAugment, type AugmentShape } from './augment.ts';
import { packTransforms } from './pack.ts';
import { augment } from './reference.ts';
import type { FillMode, ImageTransform } from './transform.ts';

const modes: PreprocessMode[] = ['none', 'rescale', 'tf', 'caffe'];
const fillModes: FillMode[] = ['nearest', 'reflect', 'wrap', 'constant'];

/** Every byte value, in an order without a short period. */
function pictureBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 37 + (i >> 8) * 101) & 255);
}

/** A transform with numbers that no position on the border between two rules comes from. */
const transforms = fc.record({
  matrix: fc.integer().map((seed) => {
    const [a0 = 0, a1 = 0, a2 = 0, b0 = 0, b1 = 0, b2 = 0] = randomFloats(6, seed);
    return [2 * a0, 2 * a1, 15 * a2, 2 * b0, 2 * b1, 15 * b2] as const;
  }),
  fillMode: fc.constantFrom(...fillModes),
  fillValue: fc.constantFrom(0, 100.5),
  edges: fc.constantFrom('scipy' as const, 'tensorflow' as const),
});

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('augmentation %s', (_, options) => {
  const gpu = withGpu(options);

  async function run(
    shape: AugmentShape,
    list: readonly ImageTransform[],
    x: Float32Array | Uint8Array,
  ): Promise<Float32Array> {
    const { n, h, w, c, oh = h, ow = w } = shape;
    const plan = planAugment(shape, list, gpu().target);
    const inputs = { x, transforms: packTransforms(list) };
    return (await runPlan(gpu(), plan, inputs, { y: n * oh * ow * c })).y;
  }

  it('moves the pixels of random images by random matrices', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 1, max: 15 }),
        fc.constantFrom(1, 3, 4),
        fc.array(transforms, { minLength: 5, maxLength: 5 }),
        fc.boolean(),
        async (n, h, w, c, five, bytes) => {
          const shape = { n, h, w, c, bytes };
          const x = bytes ? pictureBytes(n * h * w * c) : randomFloats(n * h * w * c, h);
          const list = five.slice(0, n);
          const y = await run(shape, list, x);
          const expected = augment(shape, list, x);
          // Positions of up to 100 pixels have float32 errors of some 1e-5 pixels; where the extension of the image
          // jumps (wrap, SciPy's constant), a position next to the jump may fall on its other side.
          const wrong = expected.filter((e, i) => !(Math.abs((y[i] ?? NaN) - e) <= 0.02));
          expect(wrong.length).toBeLessThanOrEqual(expected.length / 100);
          expect(y.length).toBe(expected.length);
        },
      ),
      { numRuns: 40, seed: 5 },
    );
  });

  it.each(modes)('fuses %s', async (mode) => {
    const shape = { n: 3, h: 7, w: 9, c: 3, bytes: true, mode };
    const x = pictureBytes(3 * 7 * 9 * 3);
    const list = [{ matrix: [-1, 0, 8, 0, 1, 0] as const }, {}, { matrix: [1, 0, 0.5, 0, 1, 0.25] as const }];
    expectClose(await run(shape, list, x), augment(shape, list, x), { magnitude: 128 });
  });

  it.each([
    { channelShift: 40 },
    { channelShift: -31.5, brightness: 1.3 },
    { brightness: 0.4 },
    { contrast: 1.5, valueRange: [0, 255] },
    { contrast: 0.25, offset: 12 },
    { offset: -50, valueRange: [0, 255] },
  ] as ImageTransform[])('colours %o', async (colours) => {
    const shape = { n: 3, h: 12, w: 10, c: 3, bytes: true, mode: 'tf' as const };
    const x = pictureBytes(3 * 12 * 10 * 3).map((v) => 20 + v / 2);
    // The middle one is moved by quarters of a pixel: exact in float32, so that rounding down cannot differ.
    const list = [colours, { ...colours, matrix: [1, 0, -2.25, 0, 1, 0.5] as const }, {}];
    expectClose(await run(shape, list, x), augment(shape, list, x), { magnitude: 8 });
  });

  it('gives another size', async () => {
    const shape = { n: 2, h: 11, w: 6, c: 2, oh: 5, ow: 13, bytes: false };
    const x = randomFloats(2 * 11 * 6 * 2, 8);
    const list = Array.from({ length: 2 }, () => ({ matrix: [6 / 13, 0, 0.1, 0, 11 / 5, 0.6] as const }));
    expectClose(await run(shape, list, x), augment(shape, list, x), { terms: 4, magnitude: 4 });
  });

  it('leaves images as they are where nothing is asked for, and mirrors exactly', async () => {
    const shape = { n: 2, h: 5, w: 7, c: 1, bytes: true };
    const x = pictureBytes(70);
    const y = await run(shape, [{}, { matrix: [-1, 0, 6, 0, -1, 4] }], x);
    expect([...y]).toEqual([...x.subarray(0, 35), ...x.subarray(35).toReversed()]);
  });
});

describe('planAugment', () => {
  const gpu = withGpu({ backend: 'null' });
  const shape = { n: 2, h: 4, w: 4, c: 3, bytes: true };

  it('needs a transform for each image, and three channels for caffe', () => {
    expect(() => planAugment(shape, [{}], gpu().target)).toThrow('1 transforms for 2 images');
    expect(() => planAugment({ ...shape, c: 1, mode: 'caffe' }, [{}, {}], gpu().target)).toThrow("'caffe'");
  });

  it('says so when an image is too large for a binding', () => {
    const target = { ...gpu().target, maxBindingBytes: 4096 };
    expect(() => planAugment({ ...shape, h: 64, w: 64 }, [{}, {}], target)).toThrow('one image has 49152');
  });

  it.each([
    [{ matrix: [1, 0, NaN, 0, 1, 0] }, 'not finite'],
    [{ matrix: [1, 0, 1e300, 0, 1, 0] }, 'not finite'],
    [{ fillMode: 'mirror' }, "no fill mode 'mirror'"],
    [{ fillMode: 'constructor' }, "no fill mode 'constructor'"],
    [{ edges: 'keras' }, "no kind of edges 'keras'"],
    [{ interpolation: 'bicubic' }, "no interpolation 'bicubic'"],
    [{ brightness: 1, contrast: 1 }, 'generator and of the layers'],
  ])('refuses %o', (transform, message) => {
    expect(() => packTransforms([transform as unknown as ImageTransform])).toThrow(message);
  });
});
