import type { Plan } from '@convbase/core-gpu';
import { describe, expect, it } from 'vitest';
import { CallContext, Conv2D, input, Model, NameScope, Tape, tensor } from '../index.ts';
import { withGpu } from '../testing/gpu.ts';
import { randoms } from '../testing/numbers.ts';

describe('a convolution with 3x3 taps', () => {
  const gpu = withGpu();
  const shape = [1, 24, 24, 64];

  function build(): { model: Model; conv: Conv2D } {
    const names = new NameScope();
    const x = input({ shape: shape.slice(1), names });
    const conv = new Conv2D({ filters: 64, kernelSize: 3, padding: 'same', names });
    return { model: new Model({ inputs: x, outputs: conv.apply(x), names }), conv };
  }

  /** The output, and what ran of Winograd's algorithm. */
  async function run(model: Model, trained: boolean): Promise<{ values: Float32Array; winograd: string[] }> {
    const tape = trained ? new Tape() : null;
    const plans: Plan[] = [];
    const stop = gpu().watchPlans((plan) => plans.push(plan));
    const x = tensor(gpu(), randoms(shape.reduce((a, b) => a * b)), shape);
    const [output] = model.call([x], new CallContext(gpu(), trained, tape, new Set(model.weights)));
    stop();
    x.dispose();
    if (output === undefined) throw new Error('one output');
    const values = await output.data();
    output.dispose();
    tape?.dispose();
    return {
      values,
      winograd: plans.map(({ kernel }) => kernel).filter((name) => name.includes('winograd')),
    };
  }

  const farthest = (a: Float32Array, b: Float32Array): number =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);

  it('never uses the algorithm of Winograd while it is being trained, and keeps nothing for it', async () => {
    const { model } = build();
    expect((await run(model, true)).winograd).toEqual([]);
    const before = gpu().memory().liveBytes;
    const first = await run(model, false);
    expect(first.winograd).toHaveLength(2);
    expect((await run(model, false)).winograd).toHaveLength(1);
    expect(gpu().memory().liveBytes).toBeGreaterThan(before);
    const direct = await run(model, true);
    expect(direct.winograd).toEqual([]);
    expect(gpu().memory().liveBytes).toBe(before);
    expect(farthest(first.values, direct.values)).toBeLessThan(1e-4);
    model.dispose();
  });

  it('transforms its kernel anew when that has changed', async () => {
    const { model, conv } = build();
    const before = await run(model, false);
    conv.kernel.assign(randoms(conv.kernel.size, 5).map((value) => value / 16));
    const after = await run(model, false);
    expect(after.winograd).toHaveLength(2);
    const direct = await run(model, true);
    expect(farthest(after.values, direct.values)).toBeLessThan(1e-4);
    expect(farthest(after.values, before.values)).toBeGreaterThan(0.1);
    model.dispose();
  });
});
