import { beforeAll, describe, expect, it } from 'vitest';
import { allCases, choose } from './cases.ts';
import type { Case } from './case.ts';
import { convolutionsOf, forwardCost, trainingCost } from './cost.ts';
import { buildStructure } from './network.ts';

describe('cases', () => {
  let cases: Case[] = [];
  beforeAll(async () => {
    cases = await allCases();
  });

  it.each(['quick', 'full', 'ratios'] as const)('%s has each of its names once', (set) => {
    const ids = choose(cases, set).map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are chosen by words', () => {
    const found = choose(cases, 'full', ['forward/vgg16', 'head/']).map(({ id }) => id);
    expect(found).toContain('forward/vgg16/224/32');
    expect(found.every((id) => /^(forward\/vgg16|head)\//.test(id))).toBe(true);
  });

  it('have every distinct convolution of VGG16 and InceptionV3, forward and both gradients, in the full set', () => {
    const full = choose(cases, 'full').map(({ id }) => id);
    expect(full.filter((id) => id.startsWith('conv/vgg16/224/'))).toHaveLength(3 * 9);
    expect(full.filter((id) => id.startsWith('conv/inception_v3/299/')).length).toBeGreaterThan(3 * 40);
  });
});

describe('costs', () => {
  it('of VGG16 are those of its layers', async () => {
    const model = await buildStructure('vgg16', 224);
    const flops = forwardCost(model, 2).reduce((sum, cost) => sum + cost.flops, 0);
    // 15.3 billion multiply-adds for a picture (Simonyan and Zisserman 2014), the dense layers not counted.
    expect(flops / 2 / 2e9).toBeCloseTo(15.35, 1);
    const conv1 = forwardCost(model, 2)[0];
    expect(conv1?.bytes).toBe(4 * (2 * 224 * 224 * (3 + 64) + 27 * 64 + 64));

    const [first, second] = convolutionsOf(model, 1);
    expect(first?.convolution).toMatchObject({
      h: 224,
      w: 224,
      ci: 3,
      co: 64,
      kh: 3,
      kw: 3,
      padding: 'same',
    });
    expect(second?.layer).toBe('block1_conv2');

    const forward = forwardCost(model, 1);
    const training = trainingCost(model, 1, 'block5_conv2').reduce((sum, cost) => sum + cost.flops, 0);
    // Of the last two layers the first has no input gradient to compute.
    const [, last] = forward.slice(-2);
    const all = forward.reduce((sum, cost) => sum + cost.flops, 0);
    expect(training).toBe(all + 3 * (last?.flops ?? NaN));
  });
});
