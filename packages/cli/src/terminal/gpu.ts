import { withTidying } from '@convbase/base/node';
import { openGpu, type Gpu, type OpenOptions } from '@convbase/core-gpu';
import { sayAdapter } from './adapter-line.ts';
import { untilStopped } from './interrupt.ts';
import type { PrecisionFlag } from './options.ts';

interface GpuUse extends Pick<OpenOptions, 'adapter' | 'profile' | 'tuned'>, PrecisionFlag {
  /** Does not name the adapter on stderr, for commands that do so themselves. */
  readonly quiet?: boolean;
}

/** Opens the adapter that the user wants, lends it to a job, and lets go of it afterwards. */
export async function usingGpu<T>(
  { adapter, profile, tuned, precision, quiet = false }: GpuUse,
  signal: AbortSignal,
  job: (gpu: Gpu) => Promise<T>,
): Promise<T> {
  const options: OpenOptions = {
    ...(adapter === undefined ? {} : { adapter }),
    ...(profile === undefined ? {} : { profile }),
    ...(tuned === undefined ? {} : { tuned }),
  };
  const gpu = await untilStopped(openGpu(options), signal);
  const work = async (): Promise<T> => {
    // What runs on must always be named: a software adapter is not what most people expect.
    if (!quiet) sayAdapter(gpu.adapter);
    // Told before there is work to be lost.
    if (precision === 'mixed') gpu.requireFloat16();
    return await job(gpu);
  };
  return withTidying(work, async () => {
    // After Ctrl-C the end of the process does it, which does not wait for the GPU as long as it may take, a minute perhaps.
    if (!signal.aborted) await gpu.close();
  });
}
