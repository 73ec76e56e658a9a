import { median, type Gpu, type GpuBuffer, type Ladder, type Plan } from '@convbase/core-gpu';
import { relativeDistance } from '../numbers.ts';

/** What one version of a kernel did. */
export interface RungResult {
  readonly rung: string;
  /** Median time of one run. */
  readonly milliseconds: number;
  /** Billions of arithmetic operations a second; every rung is credited with those of the first. */
  readonly gigaflops: number;
  /** How many times as fast as the first rung. */
  readonly speedup: number;
  /** Relative L2 distance from the first rung's output. */
  readonly difference: number;
}

/** Time that the runs between two readings of the clock should take together, so that submitting them is little. */
const BATCH_MS = 40;
const ROUNDS = 7;

/**
 * Runs every rung of a ladder that this adapter can run on the same inputs, compares its output with the first rung's,
 * and times it. Rungs take turns, so that a machine that gets slower or faster meanwhile treats them alike.
 */
export async function climb(gpu: Gpu, ladder: Ladder, rounds = ROUNDS): Promise<RungResult[]> {
  const buffers: Record<string, GpuBuffer> = {};
  for (const [index, [name, length]] of Object.entries(ladder.inputs).entries()) {
    const buffer = gpu.createBuffer(4 * length, `ladder ${name}`);
    gpu.write(buffer, noise(length, index + 1));
    buffers[name] = buffer;
  }
  const { name, length } = ladder.output;
  const output = gpu.createBuffer(4 * length, `ladder ${name}`);
  buffers[name] = output;

  const rungs = ladder.rungs.filter(({ runsOn }) => runsOn?.(gpu.target) ?? true);
  const plans = rungs.map((rung) => rung.plan(gpu.target));
  const outputs: Float32Array[] = [];
  for (const plan of plans) {
    gpu.write(output, new Float32Array(length).fill(NaN));
    gpu.run(plan, buffers);
    outputs.push(new Float32Array(await gpu.read(output, 4 * length)));
  }

  const batches: number[] = [];
  for (const plan of plans)
    batches.push(Math.max(1, Math.round(BATCH_MS / (await time(gpu, plan, buffers, 1)))));
  const times = plans.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, plan] of plans.entries()) times[i]?.push(await time(gpu, plan, buffers, batches[i] ?? 1));
  }
  for (const buffer of Object.values(buffers)) gpu.releaseBuffer(buffer);

  const flops = plans[0]?.flops ?? 0;
  const medians = times.map(median);
  return rungs.map((rung, i) => {
    const milliseconds = medians[i] ?? NaN;
    return {
      rung: rung.name,
      milliseconds,
      gigaflops: flops / milliseconds / 1e6,
      speedup: (medians[0] ?? NaN) / milliseconds,
      difference: relativeDistance(outputs[i] ?? new Float32Array(), outputs[0] ?? new Float32Array()),
    };
  });
}

/** Milliseconds of one run, from `runs` of them submitted at once. */
async function time(gpu: Gpu, plan: Plan, buffers: Record<string, GpuBuffer>, runs: number): Promise<number> {
  await gpu.idle();
  const start = performance.now();
  for (let i = 0; i < runs; i++) gpu.run(plan, buffers);
  await gpu.idle();
  return (performance.now() - start) / runs;
}

/** Seeded floats in [-1, 1) (xorshift32, Marsaglia 2003). */
function noise(length: number, seed: number): Float32Array {
  let state = seed * 0x9e3779b1;
  return Float32Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
}
