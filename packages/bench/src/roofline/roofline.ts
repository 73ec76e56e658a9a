import { openGpu, planCopyRate, planFmaRate, type Gpu, type GpuBuffer, type Plan } from '@convbase/core-gpu';

/** What an adapter can do at the most. */
export interface Roofline {
  /** Billions of float32 operations a second, a multiply-add being two. */
  readonly gigaflops: number;
  /** Billions of bytes a second that a kernel reads and writes, together. */
  readonly gigabytes: number;
}

/** A run that is timed takes about as long as this. */
const RUN_MS = 40;
const RUNS = 4;

const FMA = { threads: 1 << 15, factor: 0.9999, term: 0.0001 };
const COPY_FLOATS = 1 << 24;

/** Measures the adapter that convbase runs on: the best of a few runs, for a limit is what nothing exceeds. */
export async function measureRoofline(gpu: Gpu): Promise<Roofline> {
  // Long enough on the slowest adapter to be timed, short enough not to keep one busy that draws a screen.
  const fma = planFmaRate({ ...FMA, steps: 1024 }, gpu.target);
  const y = gpu.createBuffer(4 * FMA.threads, 'roofline');
  const gigaflops = fma.flops / (await best(gpu, fma, { y })) / 1e6;
  gpu.releaseBuffer(y);

  const count = Math.min(COPY_FLOATS, Math.floor(gpu.limits.maxBufferSize / 16) * 4);
  const source = gpu.createBuffer(4 * count, 'roofline');
  const target = gpu.createBuffer(4 * count, 'roofline');
  const copy = planCopyRate({ count }, gpu.target);
  const gigabytes = copy.bytes / (await best(gpu, copy, { x: source, y: target })) / 1e6;
  gpu.releaseBuffer(source);
  gpu.releaseBuffer(target);
  return { gigaflops, gigabytes };
}

/** Milliseconds of one run, the shortest of a few measurements. */
async function best(gpu: Gpu, plan: Plan, buffers: Record<string, GpuBuffer>): Promise<number> {
  await time(gpu, plan, buffers, 1);
  const runs = Math.max(1, Math.round(RUN_MS / (await time(gpu, plan, buffers, 1))));
  let least = Infinity;
  for (let i = 0; i < RUNS; i++) least = Math.min(least, await time(gpu, plan, buffers, runs));
  return least;
}

async function time(gpu: Gpu, plan: Plan, buffers: Record<string, GpuBuffer>, runs: number): Promise<number> {
  await gpu.idle();
  const start = performance.now();
  for (let i = 0; i < runs; i++) gpu.run(plan, buffers);
  await gpu.idle();
  return (performance.now() - start) / runs;
}

/** The better of two measurements: what disturbs one only ever makes it worse. */
export function better(a: Roofline, b: Roofline): Roofline {
  return {
    gigaflops: Math.max(a.gigaflops, b.gigaflops),
    gigabytes: Math.max(a.gigabytes, b.gigabytes),
  };
}

/** What a run has to know of the adapter before it begins. */
export interface AdapterFacts {
  readonly name: string;
  readonly kind: 'gpu' | 'software' | 'null';
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly roofline: Roofline;
}

const limitNames = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/** Opens the adapter, measures it, and closes it again. */
export function adapterFacts(): Promise<AdapterFacts> {
  return withGpu(async (gpu) => ({
    name: gpu.adapter.name,
    kind: gpu.adapter.kind,
    features: [...gpu.features].sort(),
    limits: Object.fromEntries(limitNames.map((name) => [name, gpu.limits[name]])),
    roofline: await measureRoofline(gpu),
  }));
}

/** Opens the adapter as contenders do, without what was tuned on this machine, and closes it again. */
export async function withGpu<T>(work: (gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await openGpu({ tuned: false });
  try {
    return await work(gpu);
  } finally {
    gpu.destroy();
  }
}
