import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasGolden, readGolden } from '../testing-golden.ts';
import { expectClose, randomFloats, relativeError, runPlan, withGpu } from '../testing.ts';
import {
  planBatchNormFold,
  planBatchNormInferenceGradient,
  planBatchNormNormalize,
  planBatchNormStatistics,
  planBatchNormTrainingGradient,
  planMovingAverage,
} from './batch-norm.ts';
import { gradientReference, normalizeReference, statisticsReference } from './reference.ts';

interface BatchNormCase {
  readonly name: string;
  readonly mode: 'training' | 'inference';
  readonly scale: boolean;
  readonly epsilon: number;
  readonly momentum: number;
}

describe.skipIf(!hasGolden('batch_norm'))("Keras' batch normalisation", () => {
  const gpu = withGpu();
  const golden = hasGolden('batch_norm') ? readGolden<BatchNormCase>('batch_norm') : undefined;

  it.each(golden?.cases ?? [])('$name', async ({ name, mode, scale, epsilon, momentum }) => {
    if (!golden) throw new Error('no golden file');
    const data = (role: string) => golden.tensor(`${name}.${role}`).data;
    const { target } = gpu();
    const [x, dy, beta] = [data('x'), data('dy'), data('beta')];
    const gamma = scale ? data('gamma') : null;
    const c = beta.length;
    const rows = x.length / c;
    const training = mode === 'training';
    const { mean, variance } = training
      ? await runPlan(gpu(), planBatchNormStatistics({ rows, c }, target), { x }, { mean: c, variance: c })
      : { mean: data('moving_mean'), variance: data('moving_variance') };

    const options = { gamma: scale, beta: true, relu: false };
    const forward = planBatchNormNormalize({ rows, c, epsilon }, options, target);
    const { y } = await runPlan(gpu(), forward, { x, mean, variance, gamma, beta }, { y: x.length });
    expect(relativeError(y, data('y'))).toBeLessThan(1e-6);

    const plan = training ? planBatchNormTrainingGradient : planBatchNormInferenceGradient;
    const gradient = await runPlan(
      gpu(),
      plan({ rows, c, epsilon }, { gamma: scale }, target),
      { x, dy, mean, variance, gamma },
      { dx: x.length, dgamma: c, dbeta: c },
    );
    expect(relativeError(gradient.dx, data('dx'))).toBeLessThan(1e-6);
    expect(relativeError(gradient.dbeta, data('dbeta'))).toBeLessThan(1e-6);
    if (scale) expect(relativeError(gradient.dgamma, data('dgamma'))).toBeLessThan(1e-6);

    if (!training) return;
    const average = planMovingAverage({ count: c, momentum }, target);
    for (const [role, batch] of [
      ['mean', mean],
      ['variance', variance],
    ] as const) {
      const inputs = { moving: data(`moving_${role}`), batch };
      const { moving } = await runPlan(gpu(), average, inputs, { moving: c });
      expect(relativeError(moving, data(`new_moving_${role}`))).toBeLessThan(1e-6);
    }
  });
});

describe.each([
  ['bindings as large as the adapter allows', {}, 200],
  // Four rows of the 2 * 48 sums, and the 512 bytes that a slice may start too early for its offset to be aligned.
  ['bindings of 2 KiB', { bindingLimit: 2048 }, 48],
])('batch normalisation with %s', (_name, options, most) => {
  const gpu = withGpu(options);
  const shapes = fc.record({
    rows: fc.integer({ min: 2, max: 600 }),
    c: fc.integer({ min: 1, max: most }),
    gamma: fc.boolean(),
    beta: fc.boolean(),
    relu: fc.boolean(),
  });

  it('agrees with the reference on random shapes', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, c, gamma: hasGamma, beta: hasBeta, relu }) => {
        const { target } = gpu();
        const epsilon = 1e-3;
        const length = rows * c;
        const x = randomFloats(length, 1);
        const dy = randomFloats(length, 2);
        const gamma = hasGamma ? randomFloats(c, 3) : null;
        const beta = hasBeta ? randomFloats(c, 4) : null;
        const expected = statisticsReference(x, rows, c);
        const statistics = planBatchNormStatistics({ rows, c }, target);
        const { mean, variance } = await runPlan(gpu(), statistics, { x }, { mean: c, variance: c });
        expectClose(mean, expected.mean, { terms: rows, magnitude: 1 / rows });
        expectClose(variance, expected.variance, { terms: rows, magnitude: 1 / rows });

        const parameters = { mean, variance, epsilon, gamma: gamma ?? undefined, beta: beta ?? undefined };
        const forward = planBatchNormNormalize(
          { rows, c, epsilon },
          { gamma: hasGamma, beta: hasBeta, relu },
          target,
        );
        const { y } = await runPlan(gpu(), forward, { x, mean, variance, gamma, beta }, { y: length });
        const normal = normalizeReference(x, c, parameters).map((value) =>
          relu ? Math.max(value, 0) : value,
        );
        expect(relativeError(y, normal)).toBeLessThan(2e-6);

        for (const training of [true, false]) {
          const plan = training ? planBatchNormTrainingGradient : planBatchNormInferenceGradient;
          const actual = await runPlan(
            gpu(),
            plan({ rows, c, epsilon }, { gamma: hasGamma }, target),
            { x, dy, mean, variance, gamma },
            { dx: length, dgamma: c, dbeta: c },
          );
          const { dx, dgamma, dbeta } = gradientReference(x, dy, c, parameters, training);
          // xhat is at most sqrt(rows) and here, with x uniform, mostly below 2; dx is at most scale times dy.
          const largest = Math.max(1, ...variance.map((v) => 1 / Math.sqrt(v + epsilon)));
          expectClose(actual.dbeta, dbeta, { terms: rows });
          expectClose(actual.dgamma, dgamma, { terms: rows, magnitude: 2 * largest });
          expectClose(actual.dx, dx, { terms: 4, magnitude: largest * largest });
        }
      }),
      { numRuns: 15 },
    );
  });

  it('folds into the kernel before it', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ rows, c: co, gamma: hasGamma, beta: hasBeta, relu: hasBias }) => {
        const epsilon = 1e-3;
        const kernel = randomFloats(rows * co, 1);
        const [bias, gamma, beta, mean] = [2, 3, 4, 5].map((seed) => randomFloats(co, seed));
        const variance = randomFloats(co, 6).map((value) => value + 1.1);
        if (!bias || !gamma || !beta || !mean) throw new Error('four vectors');
        const plan = planBatchNormFold(
          { rows, co, epsilon },
          { gamma: hasGamma, beta: hasBeta, bias: hasBias },
          gpu().target,
        );
        const folded = await runPlan(
          gpu(),
          plan,
          {
            kernel,
            mean,
            variance,
            bias: hasBias ? bias : null,
            gamma: hasGamma ? gamma : null,
            beta: hasBeta ? beta : null,
          },
          { foldedKernel: rows * co, foldedBias: co },
        );
        // What normalisation does to a layer's output is the same as what it does to kernel (less the shift) and bias.
        const zeros = new Float32Array(co);
        const scaleOnly = { mean: zeros, variance, epsilon, gamma: hasGamma ? gamma : undefined };
        expect(relativeError(folded.foldedKernel, normalizeReference(kernel, co, scaleOnly))).toBeLessThan(
          1e-6,
        );
        const all = { ...scaleOnly, mean, beta: hasBeta ? beta : undefined };
        const expected = normalizeReference(hasBias ? bias : zeros, co, all);
        expectClose(folded.foldedBias, expected, { terms: 4, magnitude: 8 });
      }),
      { numRuns: 10 },
    );
  });
});

describe('batch normalisation', () => {
  const gpu = withGpu();

  it('keeps the variance where the mean is a thousand times the deviation', async () => {
    const [rows, c] = [5000, 3];
    const x = randomFloats(rows * c).map((value) => value + 1000);
    const plan = planBatchNormStatistics({ rows, c }, gpu().target);
    const { variance } = await runPlan(gpu(), plan, { x }, { mean: c, variance: c });
    expect(relativeError(variance, statisticsReference(x, rows, c).variance)).toBeLessThan(1e-5);
  });

  it('has the gradient that finite differences give', () => {
    const [rows, c, epsilon] = [7, 2, 1e-3];
    const x = Float64Array.from(randomFloats(rows * c, 1));
    const dy = randomFloats(rows * c, 2);
    const gamma = randomFloats(c, 3);
    const loss = (input: Float64Array) => {
      const y = normalizeReference(input, c, { ...statisticsReference(input, rows, c), epsilon, gamma });
      return y.reduce((sum, value, i) => sum + value * (dy[i] ?? NaN), 0);
    };
    const { dx } = gradientReference(x, dy, c, { ...statisticsReference(x, rows, c), epsilon, gamma }, true);
    dx.forEach((slope, i) => {
      const h = 1e-6;
      const [up, down] = [h, -h].map((step) => loss(x.map((value, j) => (i === j ? value + step : value))));
      expect(((up ?? NaN) - (down ?? NaN)) / (2 * h)).toBeCloseTo(slope, 6);
    });
  });

  it('leaves out the gradients of gamma and beta that nobody wants', async () => {
    const [rows, c, epsilon] = [300, 100, 1e-3];
    const [x, dy] = [randomFloats(rows * c, 1), randomFloats(rows * c, 2)];
    const { mean, variance } = await runPlan(
      gpu(),
      planBatchNormStatistics({ rows, c }, gpu().target),
      { x },
      { mean: c, variance: c },
    );
    const inputs = { x, dy, mean, variance, gamma: null, dgamma: null, dbeta: null };
    const p = { mean, variance, epsilon };
    const training = planBatchNormTrainingGradient({ rows, c, epsilon }, { gamma: false }, gpu().target);
    const { dx } = await runPlan(gpu(), training, inputs, { dx: rows * c });
    expect(relativeError(dx, gradientReference(x, dy, c, p, true).dx)).toBeLessThan(1e-6);
    const options = { gamma: false, parameters: false };
    const frozen = planBatchNormInferenceGradient({ rows, c, epsilon }, options, gpu().target);
    const result = await runPlan(gpu(), frozen, { dy, variance, gamma: null }, { dx: rows * c });
    expect(relativeError(result.dx, gradientReference(x, dy, c, p, false).dx)).toBeLessThan(1e-6);
  });

  it('takes many rows and many channels', async () => {
    for (const [rows, c] of [
      [500_000, 3],
      [64, 2048],
      [100_000, 1],
    ] as const) {
      const x = randomFloats(rows * c);
      const plan = planBatchNormStatistics({ rows, c }, gpu().target);
      const { mean, variance } = await runPlan(gpu(), plan, { x }, { mean: c, variance: c });
      const expected = statisticsReference(x, rows, c);
      expectClose(mean, expected.mean, { terms: 64, magnitude: 1 / 64 });
      expect(relativeError(variance, expected.variance)).toBeLessThan(1e-6);
    }
  });
});
