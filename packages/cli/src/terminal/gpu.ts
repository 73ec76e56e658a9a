import { openGpu, type Gpu } from '@convbase/core-gpu';

/** Opens the adapter that the user wants, lends it to a job, and lets go of it whatever happens. */
export async function usingGpu<T>(
  options: { readonly adapter?: string; readonly quiet?: boolean },
  job: (gpu: Gpu) => Promise<T>,
): Promise<T> {
  const gpu = await openGpu(options.adapter === undefined ? {} : { adapter: options.adapter });
  try {
    // What runs on must always be named: a software adapter is not what most people expect.
    if (!options.quiet) {
      const kind = gpu.adapter.kind === 'software' ? ' (software: this runs on the CPU)' : '';
      process.stderr.write(`adapter: ${gpu.adapter.name}${kind}\n`);
    }
    return await job(gpu);
  } finally {
    gpu.destroy();
  }
}
