import { describe, expect, it } from 'vitest';
import { Variable } from '../layers/variable.ts';
import { zeros } from '../layers/initializers.ts';
import { tensor } from '../tensor/tensor.ts';
import { hasGolden, noGolden, readGolden } from '../testing/golden.ts';
import { withGpu } from '../testing/gpu.ts';
import { relativeError } from '../testing/numbers.ts';
import { Adam, AdamW, optimizerFrom, optimizerFromConfig, RMSprop, SGD } from './index.ts';

interface Case {
  readonly name: string;
  readonly optimizer_class: string;
  readonly config: Record<string, unknown>;
}

describe.skipIf(!hasGolden('optimizers'))('optimizers follow Keras step by step', () => {
  const gpu = withGpu();
  const { cases, tensors } = hasGolden('optimizers') ? readGolden('optimizers') : noGolden;

  for (const { name, optimizer_class: className, config } of cases as unknown as Case[]) {
    it(name, async () => {
      const [w0, grads, trajectory] = ['w0', 'grads', 'trajectory'].map((role) =>
        tensors.get(`${name}.${role}`),
      );
      if (!w0 || !grads || !trajectory) throw new Error('incomplete golden file');
      const variable = new Variable(name, 'kernel', w0.shape, zeros(), true);
      variable.assign(w0.data.slice());
      const optimizer = optimizerFromConfig(className, config);
      const steps = grads.shape[0] ?? 0;
      for (let step = 0; step < steps; step++) {
        const slice = (data: Float32Array): Float32Array =>
          data.slice(step * variable.size, (step + 1) * variable.size);
        const gradient = tensor(gpu(), slice(grads.data), variable.shape);
        optimizer.apply(gpu(), [{ variable, gradient }]);
        gradient.dispose();
        expect(relativeError(await variable.read(), slice(trajectory.data)), `step ${step}`).toBeLessThan(
          1e-5,
        );
      }
      expect(optimizer.iterations).toBe(steps);
      optimizer.dispose();
      variable.dispose();
    });
  }
});

describe('clipping', () => {
  const gpu = withGpu();

  it('by the global norm looks at all gradients together', async () => {
    const variables = [1, 2].map((size) => new Variable(`w${size}`, 'kernel', [size], zeros(), true));
    const optimizer = new SGD({ learningRate: 1, globalClipNorm: 1 });
    const gradients = [Float32Array.of(3), Float32Array.of(0, 4)].map((data) =>
      tensor(gpu(), data, [data.length]),
    );
    optimizer.apply(
      gpu(),
      variables.flatMap((variable, i) => {
        const gradient = gradients[i];
        return gradient === undefined ? [] : [{ variable, gradient }];
      }),
    );
    const after = await Promise.all(variables.map((variable) => variable.read()));
    expect(after[0]?.[0]).toBeCloseTo(-0.6, 6);
    expect(after[1]?.[1]).toBeCloseTo(-0.8, 6);
    for (const value of [...gradients, ...variables, optimizer]) value.dispose();
  });

  it('comes in one kind at a time', () => {
    expect(() => new Adam({ clipNorm: 1, clipValue: 1 })).toThrow(/only one of/);
  });
});

describe('configuration', () => {
  it('has the defaults of Keras', () => {
    expect(optimizerFrom('sgd')).toMatchObject({ learningRate: 0.01, momentum: 0, nesterov: false });
    expect(optimizerFrom('rmsprop')).toMatchObject({
      learningRate: 0.001,
      rho: 0.9,
      epsilon: 1e-7,
      centered: false,
    });
    expect(optimizerFrom('adam')).toMatchObject({
      learningRate: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
    });
    expect(optimizerFrom('AdamW')).toMatchObject({ weightDecay: 0.004 });
  });

  it('is read from Keras, and refuses what it does not have', () => {
    const rmsprop = optimizerFromConfig('RMSprop', {
      learning_rate: 0.5,
      rho: 0.8,
      centered: true,
      clipnorm: null,
    });
    expect(rmsprop).toBeInstanceOf(RMSprop);
    expect(rmsprop).toMatchObject({ learningRate: 0.5, rho: 0.8, centered: true });
    expect(optimizerFromConfig('AdamW', { beta_1: 0.5, weight_decay: 0.1 })).toMatchObject({
      beta1: 0.5,
      weightDecay: 0.1,
    });
    expect(new AdamW()).toBeInstanceOf(Adam);
    expect(() => optimizerFromConfig('Adam', { use_ema: true })).toThrow('use_ema is not supported');
    expect(() => optimizerFromConfig('Adam', { learning_rate: 'fast' })).toThrow(
      'learning_rate is not a number',
    );
  });
});
