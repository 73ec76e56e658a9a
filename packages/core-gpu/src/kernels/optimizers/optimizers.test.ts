import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planClipByNorm, planClipByValue } from '../clip/clip.ts';
import { planSumOfSquares } from '../reduce/reduce.ts';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import type { Plan } from '../../commands/plan.ts';
import { adamRate, planAdam, planAdamRate, planRmsprop, planSgd } from './optimizers.ts';
import { adamReference, rmspropReference, sgdReference } from './reference.ts';
import { gpuTarget as gpu } from '../testing-targets.ts';

interface OptimizerCase {
  readonly name: string;
  readonly optimizer_class: string;
  readonly config: Readonly<Record<string, number | boolean | null>>;
}

const stateNames: Record<string, readonly string[]> = {
  SGD: ['velocity'],
  RMSprop: ['meanSquare', 'velocity', 'meanGradient'],
  Adam: ['m', 'v', 'vMax'],
  AdamW: ['m', 'v', 'vMax'],
};

const double = (x: Float32Array): Float64Array => Float64Array.from(x);

describe.skipIf(!hasGolden('optimizers'))("Keras' trajectories over 12 steps", () => {
  const gpu = withGpu();
  const golden = hasGolden('optimizers') ? readGolden<OptimizerCase>('optimizers') : undefined;

  it.each(golden?.cases ?? [])('$name', async ({ name, optimizer_class: kind, config }) => {
    if (!golden) throw new Error('no golden file');
    const number = (key: string) => Number(config[key] ?? 0);
    const { data: w0 } = golden.tensor(`${name}.w0`);
    const { data: grads } = golden.tensor(`${name}.grads`);
    const { data: trajectory } = golden.tensor(`${name}.trajectory`);
    const count = w0.length;
    const { target } = gpu();

    const step = (t: number): Plan => {
      const common = {
        count,
        learningRate: number('learning_rate'),
        weightDecay: number('weight_decay'),
        momentum: number('momentum'),
        epsilon: number('epsilon'),
      };
      if (kind === 'SGD') return planSgd({ ...common, nesterov: config['nesterov'] === true }, target);
      if (kind === 'RMSprop') {
        return planRmsprop({ ...common, rho: number('rho'), centered: config['centered'] === true }, target);
      }
      const [beta1, beta2] = [number('beta_1'), number('beta_2')];
      return planAdam({ ...common, beta1, beta2, amsgrad: config['amsgrad'] === true, step: t }, target);
    };
    const states = stateNames[kind] ?? [];
    let current: Record<string, Float32Array> = { w: w0 };
    for (const state of states) current[state] = new Float32Array(count);
    for (let t = 1; t <= 12; t++) {
      let g: Float32Array = grads.slice((t - 1) * count, t * count);
      const clipNorm = number('clipnorm') || number('global_clipnorm');
      if (clipNorm > 0) {
        const norm = await runPlan(gpu(), planSumOfSquares({ count }, target), { x: g }, { y: 1 });
        const clip = planClipByNorm({ count, clipNorm }, target);
        ({ g } = await runPlan(gpu(), clip, { g, sumOfSquares: norm.y }, { g: count }));
      }
      if (number('clipvalue') > 0) {
        const clip = planClipByValue({ count, clipValue: number('clipvalue') }, target);
        ({ g } = await runPlan(gpu(), clip, { g }, { g: count }));
      }
      const outputs = Object.fromEntries(['w', ...states].map((state) => [state, count]));
      current = await runPlan(gpu(), step(t), { ...current, g }, outputs);
      // A step moves weights of size 1 by at most a tenth; float32 rounds each to 6e-8.
      const expected = trajectory.slice((t - 1) * count, t * count);
      expect(relativeError(current['w'] ?? [], expected), `step ${String(t)}`).toBeLessThan(5e-7);
    }
  });
});

describe.each([
  ['one binding', {}],
  ['several bindings', { bindingLimit: 512 }],
])('optimizer steps in %s', (_name, options) => {
  const gpu = withGpu(options);
  const counts = fc.integer({ min: 1, max: 1000 });
  const flag = fc.boolean();
  const momentum = fc.constantFrom(0, 0.9);
  const weightDecay = fc.constantFrom(0, 0.1);
  const positive = (x: Float32Array) => x.map((value) => value * value);

  it('SGD agrees with the reference', async () => {
    await fc.assert(
      fc.asyncProperty(counts, momentum, flag, weightDecay, async (count, beta, nesterov, decay) => {
        const settings = {
          count,
          learningRate: 0.1,
          momentum: beta,
          nesterov: nesterov && beta > 0,
          weightDecay: decay,
        };
        const [w, g, velocity] = [1, 2, 3].map((seed) => randomFloats(count, seed)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const expected = double(w);
        const state = double(beta > 0 ? velocity : new Float32Array(count));
        sgdReference(settings, expected, double(g), state);
        const inputs = { w, g, velocity: beta > 0 ? velocity : null };
        const actual = await runPlan(gpu(), planSgd(settings, gpu().target), inputs, { w: count });
        expect(relativeError(actual.w, expected)).toBeLessThan(1e-6);
      }),
      { numRuns: 12 },
    );
  });

  it('RMSprop agrees with the reference', async () => {
    await fc.assert(
      fc.asyncProperty(counts, momentum, flag, weightDecay, async (count, beta, centered, decay) => {
        const settings = {
          count,
          learningRate: 0.1,
          rho: 0.9,
          momentum: beta,
          epsilon: 1e-3,
          centered,
          weightDecay: decay,
        };
        const [w, g, square, velocity, mean] = [1, 2, 3, 4, 5].map((seed) => randomFloats(count, seed)) as [
          Float32Array,
          Float32Array,
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        // The mean of squares is at least the square of the mean.
        const meanGradient = mean.map((value) => value * 0.1);
        const meanSquare = positive(square).map((value) => value + 0.1);
        const expected = double(w);
        const states = [meanSquare, velocity, meanGradient].map(double) as [
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        rmspropReference(settings, expected, double(g), ...states);
        const inputs = {
          w,
          g,
          meanSquare,
          velocity: beta > 0 ? velocity : null,
          meanGradient: centered ? meanGradient : null,
        };
        const outputs = { w: count, meanSquare: count };
        const actual = await runPlan(gpu(), planRmsprop(settings, gpu().target), inputs, outputs);
        expect(relativeError(actual.w, expected)).toBeLessThan(1e-6);
        expect(relativeError(actual.meanSquare, states[0])).toBeLessThan(1e-6);
      }),
      { numRuns: 12 },
    );
  });

  it('Adam agrees with the reference', async () => {
    await fc.assert(
      fc.asyncProperty(
        counts,
        flag,
        weightDecay,
        fc.integer({ min: 1, max: 50 }),
        async (count, amsgrad, decay, step) => {
          const settings = {
            count,
            learningRate: 0.1,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-3,
            amsgrad,
            weightDecay: decay,
            step,
          };
          const [w, g, m, root, rootMax] = [1, 2, 3, 4, 5].map((seed) => randomFloats(count, seed)) as [
            Float32Array,
            Float32Array,
            Float32Array,
            Float32Array,
            Float32Array,
          ];
          const [v, vMax] = [positive(root), positive(rootMax)];
          const expected = double(w);
          adamReference(settings, expected, double(g), double(m), double(v), double(vMax));
          const inputs = { w, g, m, v, vMax: amsgrad ? vMax : null };
          const actual = await runPlan(gpu(), planAdam(settings, gpu().target), inputs, { w: count });
          // 1 - 0.999^t in float32, as Keras has it, is off by up to 6e-8 / 1e-3 where t = 1.
          expect(relativeError(actual.w, expected)).toBeLessThan(1e-4);
        },
      ),
      { numRuns: 12 },
    );
  });
});

describe('the rate of Adam where steps may have been skipped', () => {
  const gpu = withGpu();

  async function rateOf(
    step: number,
    skipped: number,
    betas: { beta1: number; beta2: number },
  ): Promise<number> {
    const plan = planAdamRate({ learningRate: 0.01, ...betas, step });
    const { rate } = await runPlan(gpu(), plan, { state: Float32Array.of(1, 0, skipped, 0) }, { rate: 1 });
    return rate[0] ?? NaN;
  }

  it.each([
    { beta1: 0.9, beta2: 0.999 },
    { beta1: 0, beta2: 0.9999 },
  ])('has all digits of float32, of the first steps too, with $beta1 and $beta2', async (betas) => {
    for (const step of [1, 2, 3, 7, 10, 100, 999, 4096, 1_000_001]) {
      const expected = (0.01 * Math.sqrt(1 - betas.beta2 ** step)) / (1 - betas.beta1 ** step);
      const rate = await rateOf(step, 0, betas);
      expect(Math.abs(rate / expected - 1), `step ${step}`).toBeLessThan(1e-6);
      // Bits do not depend on how many steps were skipped before.
      expect(await rateOf(step + 37, 37, betas)).toBe(rate);
    }
  });

  it('is what Adam goes by then', async () => {
    const settings = { count: 5, learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-3, step: 4 };
    const [w, g, m, v] = [1, 2, 3, 4].map((seed) => randomFloats(5, seed).map(Math.abs)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const [decided, zeros] = [double(w), new Float64Array(5)];
    // Whatever the step says, this rate is that of the reference's first step.
    adamReference({ ...settings, step: 1 }, decided, double(g), double(m), double(v), zeros);
    const stepRate = Float32Array.of((0.1 * Math.sqrt(0.001)) / 0.1);
    const inputs = { w, g, m, v, vMax: null, skip: new Uint32Array(1), stepRate };
    const plan = planAdam({ ...settings, maySkip: true }, gpu().target);
    const { w: after } = await runPlan(gpu(), plan, inputs, { w: 5 });
    expect(relativeError(after, decided)).toBeLessThan(1e-6);
  });
});

describe('hyper-parameters', () => {
  it('reach the same shader with other uniforms, so that a new learning rate compiles nothing', async () => {
    const [one, two] = [1e-3, 1e-4].map(
      (learningRate) => planSgd({ count: 10, learningRate, momentum: 0.9 }, gpu).dispatches[0],
    );
    expect(one?.constants).toEqual(two?.constants);
    expect(one?.uniforms).not.toEqual(two?.uniforms);
    await Promise.resolve();
  });

  it("Adam's rate approaches the learning rate", () => {
    const settings = { count: 1, learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    expect(adamRate({ ...settings, step: 1 })).toBeCloseTo((0.01 * Math.sqrt(0.001)) / 0.1, 6);
    expect(adamRate({ ...settings, step: 100_000 })).toBeCloseTo(0.01, 8);
  });
});
