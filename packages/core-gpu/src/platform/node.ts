import { create } from 'webgpu';
import type { EntryOptions, GpuEntry } from './entry.ts';

/**
 * Dawn's instances, one for each set of flags, kept for the life of the process: Dawn's threads use them
 * after JavaScript has lost sight of them.
 */
const instances = new Map<string, GPU>();

/** WebGPU through Dawn. */
export async function openEntry(options: EntryOptions): Promise<GpuEntry> {
  const flags = ['enable-dawn-features=allow_unsafe_apis', 'disable-dawn-features=timestamp_quantization'];
  if (options.backend) flags.push(`backend=${options.backend}`);
  if (options.adapter) flags.push(`adapter=${options.adapter}`);
  const key = flags.join(' ');
  const gpu = instances.get(key) ?? create(flags);
  instances.set(key, gpu);
  return Promise.resolve({ gpu, close: () => undefined });
}

/** An environment variable, empty counted as unset. */
export function environment(name: string): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name];
}
