import { ConvbaseError } from '@convbase/base';
import type { Gpu } from '@convbase/core-gpu';
import { Variable, initializers, optimizerFromConfig, scope } from '@convbase/layers';
import { z } from 'zod';
import { parseParameters, type GoldenCase, type GoldenTensor } from './golden-file.ts';
import type { ComputedTensor } from './judge.ts';

const optimizerSchema = z.looseObject({
  optimizer_class: z.string(),
  config: z.record(z.string(), z.unknown()),
});

/**
 * Applies given gradients to a weight, one after the other: `grads` (steps, ..) to `w0` (..).
 *
 * @returns `trajectory` (steps, ..): the weight after each step
 */
export async function computeTrajectory(
  gpu: Gpu,
  parameters: GoldenCase,
  given: ReadonlyMap<string, GoldenTensor>,
): Promise<Map<string, ComputedTensor>> {
  const { optimizer_class: className, config } = parseParameters(
    optimizerSchema,
    parameters,
    parameters.name,
  );
  const start = given.get('w0');
  const gradients = given.get('grads');
  if (start === undefined || gradients === undefined || gradients.data.length % start.data.length !== 0) {
    throw new ConvbaseError('verify/format', 'an optimizer needs w0, and grads of its size for every step', {
      where: parameters.name,
    });
  }
  const weight = new Variable(parameters.name, 'w', start.shape, initializers.zeros(), true);
  weight.assign(start.data.slice());
  const optimizer = optimizerFromConfig(className, config);
  const trajectory = new Float32Array(gradients.data.length);
  try {
    for (let offset = 0; offset < trajectory.length; offset += weight.size) {
      await scope(gpu, async (own) => {
        const gradient = own.tensor(gradients.data.slice(offset, offset + weight.size), start.shape);
        optimizer.apply(gpu, [{ variable: weight, gradient }]);
        trajectory.set(await weight.read(), offset);
      });
    }
  } finally {
    optimizer.dispose();
    weight.dispose();
  }
  return new Map([['trajectory', { shape: gradients.shape, data: trajectory }]]);
}
