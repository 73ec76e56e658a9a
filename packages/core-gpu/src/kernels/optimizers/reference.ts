import type { AdamOptions, RmspropOptions, SgdOptions } from './optimizers.ts';

type Vector = Float64Array;

/** One step of SGD in float64, in place. */
export function sgdReference(options: SgdOptions, w: Vector, g: Vector, velocity: Vector): void {
  const { count, learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  for (let i = 0; i < count; i++) {
    const gradient = g[i] ?? NaN;
    const v = (velocity[i] ?? NaN) * momentum - learningRate * gradient;
    velocity[i] = v;
    const decayed = (w[i] ?? NaN) * (1 - weightDecay * learningRate);
    w[i] = decayed + (nesterov ? momentum * v - learningRate * gradient : v);
  }
}

/** One step of RMSprop in float64, in place. */
export function rmspropReference(
  options: RmspropOptions,
  w: Vector,
  g: Vector,
  meanSquare: Vector,
  velocity: Vector,
  meanGradient: Vector,
): void {
  const { count, learningRate, rho, momentum = 0, epsilon, centered = false, weightDecay = 0 } = options;
  for (let i = 0; i < count; i++) {
    const gradient = g[i] ?? NaN;
    const square = rho * (meanSquare[i] ?? NaN) + (1 - rho) * gradient ** 2;
    const mean = rho * (meanGradient[i] ?? NaN) + (1 - rho) * gradient;
    const variance = square - (centered ? mean ** 2 : 0);
    const move = momentum * (velocity[i] ?? NaN) + (learningRate * gradient) / Math.sqrt(variance + epsilon);
    meanSquare[i] = square;
    meanGradient[i] = mean;
    velocity[i] = move;
    w[i] = (w[i] ?? NaN) * (1 - weightDecay * learningRate) - move;
  }
}

/** One step of Adam in float64, in place. */
export function adamReference(
  options: AdamOptions,
  w: Vector,
  g: Vector,
  m: Vector,
  v: Vector,
  vMax: Vector,
): void {
  const { count, learningRate, beta1, beta2, epsilon, amsgrad = false, step, weightDecay = 0 } = options;
  const rate = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  for (let i = 0; i < count; i++) {
    const gradient = g[i] ?? NaN;
    const mean = beta1 * (m[i] ?? NaN) + (1 - beta1) * gradient;
    const square = beta2 * (v[i] ?? NaN) + (1 - beta2) * gradient ** 2;
    const largest = Math.max(square, vMax[i] ?? NaN);
    m[i] = mean;
    v[i] = square;
    vMax[i] = largest;
    const decayed = (w[i] ?? NaN) * (1 - weightDecay * learningRate);
    w[i] = decayed - (rate * mean) / (Math.sqrt(amsgrad ? largest : square) + epsilon);
  }
}
