/** Column of element i and a safe read, so that the formulas below stay formulas. */
type Numbers = ArrayLike<number>;
const at = (x: Numbers, i: number): number => x[i] ?? NaN;

/** Mean and biased variance of each channel in float64. */
export function statisticsReference(
  x: Numbers,
  rows: number,
  c: number,
): { mean: Float64Array; variance: Float64Array } {
  const mean = new Float64Array(c);
  const variance = new Float64Array(c);
  for (let i = 0; i < rows * c; i++) mean[i % c] = at(mean, i % c) + at(x, i) / rows;
  for (let i = 0; i < rows * c; i++) {
    variance[i % c] = at(variance, i % c) + (at(x, i) - at(mean, i % c)) ** 2 / rows;
  }
  return { mean, variance };
}

/** What a normalisation works with; gamma 1 and beta 0 where left out. */
export interface Parameters {
  readonly mean: Numbers;
  readonly variance: Numbers;
  readonly epsilon: number;
  readonly gamma?: Numbers | undefined;
  readonly beta?: Numbers | undefined;
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta in float64. */
export function normalizeReference(x: Numbers, c: number, p: Parameters): Float64Array {
  return Float64Array.from({ length: x.length }, (_, i) => {
    const channel = i % c;
    const xhat = (at(x, i) - at(p.mean, channel)) / Math.sqrt(at(p.variance, channel) + p.epsilon);
    return xhat * (p.gamma ? at(p.gamma, channel) : 1) + (p.beta ? at(p.beta, channel) : 0);
  });
}

/** dx, dgamma, dbeta in float64; `training` differentiates through the statistics too. */
export function gradientReference(
  x: Numbers,
  dy: Numbers,
  c: number,
  p: Parameters,
  training: boolean,
): { dx: Float64Array; dgamma: Float64Array; dbeta: Float64Array } {
  const rows = x.length / c;
  const xhat = normalizeReference(x, c, { mean: p.mean, variance: p.variance, epsilon: p.epsilon });
  const dgamma = new Float64Array(c);
  const dbeta = new Float64Array(c);
  for (let i = 0; i < x.length; i++) {
    dbeta[i % c] = at(dbeta, i % c) + at(dy, i);
    dgamma[i % c] = at(dgamma, i % c) + at(dy, i) * at(xhat, i);
  }
  const dx = Float64Array.from({ length: x.length }, (_, i) => {
    const channel = i % c;
    const scale = (p.gamma ? at(p.gamma, channel) : 1) / Math.sqrt(at(p.variance, channel) + p.epsilon);
    const through = training ? (at(dbeta, channel) + at(xhat, i) * at(dgamma, channel)) / rows : 0;
    return scale * (at(dy, i) - through);
  });
  return { dx, dgamma, dbeta };
}
