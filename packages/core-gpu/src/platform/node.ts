import { ConvbaseError, warnOnce } from '@convbase/base';
import { ensureDriver, withoutNativeNoise } from '@convbase/driver';
import { create } from 'webgpu';
import type { AdapterDescription } from '../device/adapter.ts';
import { readMeasured, tunedFile, tunedTableOf } from './node/tuned-file.ts';
import type { TunedTable } from '../tuning/table.ts';
import type { EntryOptions, GpuEntry } from './entry.ts';

export { hold } from './node/held.ts';
export { awaitSoftware } from './node/wait.ts';

/**
 * Dawn's instances, one for each set of flags, kept for the life of the process: Dawn's threads use them
 * after JavaScript has lost sight of them.
 */
const instances = new Map<string, GPU>();

/** WebGPU through Dawn, on the system's adapter or the software driver in convbase's cache. */
export async function openEntry(options: EntryOptions): Promise<GpuEntry> {
  if (!options.backend) await ensureDriver();
  const flags = ['enable-dawn-features=allow_unsafe_apis', 'disable-dawn-features=timestamp_quantization'];
  if (options.backend) flags.push(`backend=${options.backend}`);
  if (options.adapter) flags.push(`adapter=${options.adapter}`);
  const key = flags.join(' ');
  const gpu = instances.get(key) ?? create(flags);
  instances.set(key, gpu);
  return {
    requestAdapter: (wanted) => withoutNativeNoise(() => gpu.requestAdapter(wanted)),
  };
}

/** An environment variable, empty counted as unset. */
export function environment(name: string): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name];
}

/**
 * What `convbase tune` found on this adapter, if anything; `CONVBASE_TUNED=off` leaves it unread. A file that cannot be
 * read costs speed, not the program: it is warned of once, and the rules decide.
 */
export async function cachedTable(adapter: AdapterDescription): Promise<TunedTable | undefined> {
  if (environment('CONVBASE_TUNED') === 'off') return undefined;
  try {
    return tunedTableOf(await readMeasured(adapter));
  } catch (error) {
    if (!(error instanceof ConvbaseError)) throw error;
    warnOnce(tunedFile(adapter), `kernels are chosen by rules alone: ${error.message}`);
    return undefined;
  }
}
