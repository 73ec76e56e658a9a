import { ConvbaseError } from '@convbase/base';
import type { AdapterDescription } from '../device/adapter.ts';
import type { TunedTable } from '../tuning/table.ts';
import type { GpuEntry } from './entry.ts';

/** WebGPU as the browser has it. */
export function openEntry(): Promise<GpuEntry> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) {
    throw new ConvbaseError('adapter/none', 'this browser has no WebGPU', {
      fix: 'Use a browser with WebGPU (Chrome, Edge, Safari 26, Firefox 141 or newer) and open the page over https or localhost.',
    });
  }
  return Promise.resolve({ requestAdapter: (options) => gpu.requestAdapter(options) });
}

/** A browser has no environment variables. */
export function environment(_name: string): string | undefined {
  return undefined;
}

/** A page brings its own table, see `OpenOptions.tuned`. */
export function cachedTable(_adapter: AdapterDescription): Promise<TunedTable | undefined> {
  return Promise.resolve(undefined);
}

/** A page may be closed at any moment. */
export function hold(_device: unknown): () => void {
  return () => undefined;
}

/** A browser tells a page when work is done. */
export function awaitSoftware<T>(work: Promise<T>): Promise<T> {
  return work;
}
