import { describe, expect, it } from 'vitest';
import { withGpu } from '../testing/gpu.ts';
import { uploadInput } from './upload.ts';

describe('uploading augmented pictures', () => {
  const gpu = withGpu();
  const mirror = { matrix: [-1, 0, 1, 0, 1, 0] as const };
  const grey = { data: Uint8Array.of(10, 20, 30, 40), shape: [2, 1, 2, 1] };

  it('applies step after step, and preprocesses last', async () => {
    const once = uploadInput(gpu(), { ...grey, augment: [[mirror, {}]], preprocess: 'rescale' }, 'test');
    const scaled = await once.data();
    [20, 10, 30, 40].forEach((v, i) => {
      expect(scaled[i]).toBeCloseTo(v / 255, 6);
    });
    const steps = [
      [mirror, mirror],
      [mirror, {}],
      [{ offset: 1 }, { offset: 2 }],
    ];
    const thrice = uploadInput(gpu(), { ...grey, augment: steps }, 'test');
    expect([...(await thrice.data())]).toEqual([11, 21, 42, 32]);
    const none = uploadInput(gpu(), { ...grey, augment: [] }, 'test');
    expect([...(await none.data())]).toEqual([...grey.data]);
    for (const tensor of [once, thrice, none]) tensor.dispose();
  });

  it.each([
    ['float32 (2, 1, 2, 1)', { ...grey, data: Float32Array.from(grey.data), augment: [[{}, {}]] }],
    ['uint8 (4', { ...grey, shape: [4], augment: [[{}, {}, {}, {}]] }],
    ['2 and 1 transforms', { ...grey, augment: [[{}, {}], [{}]] }],
    [
      'not finite',
      {
        ...grey,
        augment: [
          [{}, {}],
          [mirror, { offset: NaN }],
        ],
      },
    ],
  ])('refuses %s, and keeps nothing', (what, x) => {
    const before = gpu().memory().liveBuffers;
    expect(() => uploadInput(gpu(), x, 'test')).toThrow(what);
    expect(gpu().memory().liveBuffers).toBe(before);
  });

  it('needs three channels for caffe', () => {
    const x = { ...grey, augment: [[{}, {}]], preprocess: 'caffe' as const };
    expect(() => uploadInput(gpu(), x, 'test')).toThrow("'caffe' preprocessing needs RGB");
  });
});
