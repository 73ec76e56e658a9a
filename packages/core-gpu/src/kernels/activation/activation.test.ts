import { describe, expect, it } from 'vitest';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { expectRelative, randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import { planActivation, planActivationGradient, type ActivationKind } from './activation.ts';
import { activation, activationGradient } from './reference.ts';

const kinds: ActivationKind[] = ['relu', 'sigmoid', 'tanh'];

/** Arguments of all sizes and both signs, from 1e-30 to where everything has saturated. */
const sweep = Float32Array.from({ length: 6001 }, (_, i) => {
  const size = 10 ** (-30 + (Math.abs(i - 3000) / 3000) * 32);
  return i === 3000 ? 0 : Math.sign(i - 3000) * size;
});

describe.each([
  ['in one binding', {}],
  ['in many bindings', { bindingLimit: 4096 }],
])('activations %s', (_, options) => {
  const gpu = withGpu(options);

  it.each(kinds)('%s has six digits wherever its argument lies', async (kind) => {
    const plan = planActivation({ kind, count: sweep.length }, gpu().target);
    const { y } = await runPlan(gpu(), plan, { x: sweep }, { y: sweep.length });
    // The argument counts: sigmoid(-80) is e^-80.
    expectRelative(y, activation(kind, sweep), 1e-6, (i) => `${kind}(${String(sweep[i])})`);
  });

  it.each(kinds)('%s lets NaN through: training that has come to grief must show', async (kind) => {
    const x = Float32Array.of(NaN, Infinity, -Infinity, 1, NaN);
    const { y } = await runPlan(gpu(), planActivation({ kind, count: 5 }, gpu().target), { x }, { y: 5 });
    const low = kind === 'tanh' ? -1 : 0;
    const high = kind === 'relu' ? Infinity : 1;
    expect([...y].map((v, i) => (i === 3 ? 1 : v))).toEqual([NaN, high, low, 1, NaN]);
  });

  it.each(kinds)('the gradient of %s agrees with the reference', async (kind) => {
    const count = 2000;
    const y = Float32Array.from(
      activation(
        kind,
        randomFloats(count, 3).map((v) => 4 * v),
      ),
    );
    const dy = randomFloats(count, 4);
    const plan = planActivationGradient({ kind, count }, gpu().target);
    const { dx } = await runPlan(gpu(), plan, { y, dy }, { dx: count });
    expectRelative(dx, activationGradient(kind, y, dy), 1e-6);
  });

  it.each([1, 63, 64, 65, 1025])('writes %i elements and not one more', async (count) => {
    const x = randomFloats(count, 2);
    const { y } = await runPlan(
      gpu(),
      planActivation({ kind: 'relu', count }, gpu().target),
      { x },
      { y: count },
    );
    expect([...y]).toEqual([...x].map((v) => Math.max(v, 0)));
  });
});

describe.skipIf(!hasGolden('dense_losses'))('activations against Keras', () => {
  const gpu = withGpu();

  it.each(kinds)('%s', async (kind) => {
    const golden = readGolden('dense_losses');
    const of = (role: string) => golden.tensor(`${kind}.${role}`).data;
    const [x, dy] = [of('x'), of('dy')];
    const { y } = await runPlan(
      gpu(),
      planActivation({ kind, count: x.length }, gpu().target),
      { x },
      { y: x.length },
    );
    expect(relativeError(y, of('y'))).toBeLessThan(1e-5);
    const plan = planActivationGradient({ kind, count: x.length }, gpu().target);
    const { dx } = await runPlan(gpu(), plan, { y, dy }, { dx: x.length });
    expect(relativeError(dx, of('dx'))).toBeLessThan(1e-5);
  });
});
