import { describe, expect, it } from 'vitest';
import { inProcess } from '../testing/runs.ts';

interface Summary {
  totalParams: number;
  trainableParams: number;
  nonTrainableParams: number;
  trainableWeights: number;
  nonTrainableWeights: number;
  layers: { name: string; trainable: boolean; layers?: { name: string; trainable: boolean }[] }[];
}

async function summary(...flags: string[]): Promise<Summary> {
  const { code, stdout, stderr } = await inProcess('summary', ...flags, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Summary;
}

describe('summary of a model with a head', () => {
  it.each([
    ['vgg16', [], 30, 16_812_353],
    ['vgg16', ['--frozen'], 4, 2_097_665],
    ['vgg16', ['--unfreeze-last', '4'], 10, 9_177_089],
    ['vgg16', ['--unfreeze-from', 'block5_conv1'], 10, 9_177_089],
    ['inception_v3', ['--frozen'], 4, 4_719_105],
    ['inception_v3', ['--unfreeze-last', '12'], 7, 5_112_833],
  ] as const)(
    '%s %j leaves %i weights of %i parameters to training',
    async (model, flags, weights, params) => {
      const counts = await summary(model, '--size', '150', '--head', ...flags);
      expect(counts).toMatchObject({ trainableWeights: weights, trainableParams: params });
      expect(counts.trainableParams + counts.nonTrainableParams).toBe(counts.totalParams);
      expect(counts.totalParams).toBe(model === 'vgg16' ? 16_812_353 : 26_521_889);
    },
  );

  it('192 weights of InceptionV3 can be trained', async () => {
    const counts = await summary('inception_v3', '--size', '150', '--head');
    // Two moving statistics for each of 94 normalisations stay what gradients never change.
    expect([counts.trainableWeights, counts.nonTrainableWeights]).toEqual([192, 188]);
  });

  it('lists every layer with whether it is trainable', async () => {
    const flags = ['vgg16', '--size', '150', '--head', '64', '--unfreeze-last', '2', '--expand-nested'];
    const { layers } = await summary(...flags);
    expect(layers.map(({ name }) => name)).toEqual(['vgg16', 'flatten', 'dense', 'predictions']);
    const inner = layers[0]?.layers ?? [];
    expect(inner).toHaveLength(19);
    expect(inner.filter(({ trainable }) => trainable).map(({ name }) => name)).toEqual([
      'block5_conv3',
      'block5_pool',
    ]);
    const { stdout } = await inProcess('summary', ...flags, '--show-trainable');
    expect(stdout).toMatch(/└ block5_conv2 \(Conv2D\) +│ \(None, 9, 9, 512\) +│ +2,359,808 +│ +N /);
    expect(stdout).toMatch(/└ block5_conv3 \(Conv2D\) +│ \(None, 9, 9, 512\) +│ +2,359,808 +│ +Y /);
  });

  it('refuses what cannot be, and says what can', async () => {
    const refused = async (message: RegExp, ...flags: string[]): Promise<void> => {
      const { code, stderr } = await inProcess('summary', 'vgg16', ...flags);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(message);
    };
    await refused(/how large the pictures are[^]*--size 150/, '--head');
    await refused(/no layer called block9[^]*There is/, '--unfreeze-from', 'block9');
    await refused(/cannot be used with option '--frozen'/, '--unfreeze-last', '3', '--frozen');
    await refused(/whole number/, '--head', 'some');
  });
});
