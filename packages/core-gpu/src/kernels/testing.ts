import { afterAll, beforeAll, expect } from 'vitest';
import type { Plan } from '../commands/plan.ts';
import { planCast } from './elementwise/elementwise.ts';
import type { Gpu } from '../device/gpu.ts';
import { openGpu, type OpenOptions } from '../device/open.ts';

/**
 * Opens a device for the tests of a describe block and closes it afterwards, checking that nothing leaked. What was tuned
 * on this machine is not used.
 */
export function withGpu(options: OpenOptions = {}): () => Gpu {
  let gpu: Gpu | undefined;
  beforeAll(async () => {
    gpu = await openGpu({ tuned: false, ...options });
  });
  afterAll(() => {
    const live = gpu?.memory().liveBuffers;
    gpu?.destroy();
    expect(live).toBe(0);
  });
  return () => {
    if (!gpu) throw new Error('the device is open only inside tests');
    return gpu;
  };
}

/** Runs a plan on host arrays and reads its outputs (`name` to number of floats) back. */
export async function runPlan<Name extends string>(
  gpu: Gpu,
  plan: Plan,
  inputs: Readonly<Record<string, Float32Array | Uint32Array | Uint8Array | null>>,
  outputs: Readonly<Record<Name, number>>,
): Promise<Record<Name, Float32Array>> {
  const buffers: Record<string, ReturnType<Gpu['createBuffer']> | null> = {};
  for (const [name, data] of Object.entries(inputs)) {
    buffers[name] = data === null ? null : gpu.createBuffer(data.byteLength, name);
    const buffer = buffers[name];
    if (buffer && data) gpu.write(buffer, data);
  }
  // Outputs start as NaN, so that an element nobody wrote shows; a name among the inputs is updated in place.
  for (const [name, length] of Object.entries<number>(outputs)) {
    if (buffers[name]) continue;
    const buffer = gpu.createBuffer(4 * length, name);
    gpu.write(buffer, new Float32Array(length).fill(NaN));
    buffers[name] = buffer;
  }
  gpu.run(plan, buffers);
  const results = {} as Record<Name, Float32Array>;
  for (const [name, length] of Object.entries<number>(outputs) as [Name, number][]) {
    const buffer = buffers[name];
    if (buffer) results[name] = new Float32Array(await gpu.read(buffer, 4 * length));
  }
  for (const buffer of Object.values(buffers)) if (buffer) gpu.releaseBuffer(buffer);
  return results;
}

/**
 * The same with these buffers in float16: inputs are rounded to it before, outputs widened afterwards. The others stay
 * float32.
 */
export async function runFloat16<Name extends string>(
  gpu: Gpu,
  plan: Plan,
  inputs: Readonly<Record<string, Float32Array | null>>,
  outputs: Readonly<Record<Name, number>>,
  float16: readonly string[],
): Promise<Record<Name, Float32Array>> {
  const buffers: Record<string, ReturnType<Gpu['createBuffer']> | null> = {};
  const make = (name: string, count: number): ReturnType<Gpu['createBuffer']> =>
    float16.includes(name)
      ? gpu.createBuffer(2 * count, name, { float16: true })
      : gpu.createBuffer(4 * count, name);
  for (const [name, data] of Object.entries(inputs)) {
    if (data === null) {
      buffers[name] = null;
      continue;
    }
    const buffer = make(name, data.length);
    const wide = buffer.float16 ? gpu.createBuffer(4 * data.length, name) : buffer;
    gpu.write(wide, data);
    if (buffer.float16) {
      gpu.run(planCast({ count: data.length }, gpu.target), { x: wide, y: buffer });
      gpu.releaseBuffer(wide);
    }
    buffers[name] = buffer;
  }
  for (const [name, count] of Object.entries<number>(outputs)) buffers[name] ??= make(name, count);
  gpu.run(plan, buffers);
  const results = {} as Record<Name, Float32Array>;
  for (const [name, count] of Object.entries<number>(outputs) as [Name, number][]) {
    const buffer = buffers[name];
    if (!buffer) continue;
    const wide = buffer.float16 ? gpu.createBuffer(4 * count, name) : buffer;
    if (buffer.float16) gpu.run(planCast({ count }, gpu.target), { x: buffer, y: wide });
    results[name] = new Float32Array(await gpu.read(wide, 4 * count));
    if (buffer.float16) gpu.releaseBuffer(wide);
  }
  for (const buffer of Object.values(buffers)) if (buffer) gpu.releaseBuffer(buffer);
  return results;
}

/** Seeded floats in [-1, 1) with zero mean. */
export function randomFloats(length: number, seed = 1): Float32Array {
  let state = (seed * 0x9e3779b9) >>> 0 || 1;
  return Float32Array.from({ length }, () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 31 - 1;
  });
}

/** Numbers that float16 holds exactly: products of them summed in float32 are as good as those of float32 numbers. */
export function randomHalves(length: number, seed = 1): Float32Array {
  return randomFloats(length, seed).map((value) => Math.round(value * 1024) / 1024);
}

/**
 * Asserts that a float32 result agrees with a float64 reference.
 *
 * `terms` is the length of the sums behind each element. Rounding errors of a float32 sum of K products grow
 * like sqrt(K) * 2^-23 of the sum of |a*b|; `magnitude` bounds one |a*b| (1 for inputs in [-1, 1)).
 */
export function expectClose(
  actual: Float32Array,
  expected: ArrayLike<number>,
  { terms = 1, magnitude = 1 }: { terms?: number; magnitude?: number } = {},
): void {
  expect(actual.length).toBe(expected.length);
  const sumOfMagnitudes = terms * magnitude;
  const tolerance = 4 * Math.sqrt(terms) * 2 ** -23 * sumOfMagnitudes;
  let worst = 0;
  let at = -1;
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    if (!(error <= worst)) {
      worst = error;
      at = i;
      if (Number.isNaN(error)) break;
    }
  }
  const message = `worst error at element ${String(at)}: got ${String(actual[at])}, expected ${String(expected[at])}, tolerance ${String(tolerance)}`;
  expect(worst, message).toBeLessThanOrEqual(tolerance);
}

/** Relative L2 error, as the golden files are judged. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] ?? NaN;
    difference += ((actual[i] ?? NaN) - e) ** 2;
    norm += e ** 2;
  }
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}

/** Asserts that every single element is within `tolerance` of its own size; for functions that promise digits. */
export function expectRelative(
  actual: Float32Array,
  expected: ArrayLike<number>,
  tolerance: number,
  describe: (index: number) => string = (index) => `element ${String(index)}`,
): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of actual.entries()) {
    const e = expected[i] ?? NaN;
    // Results below the smallest normal float may be flushed to 0.
    const error = Math.abs(value - e) / Math.max(Math.abs(e), 2 ** -126);
    const fine = error <= tolerance || Math.abs(e) < 2 ** -126;
    expect(
      fine,
      `${describe(i)}: got ${String(value)}, expected ${String(e)}, relative error ${String(error)}`,
    ).toBe(true);
  }
}
