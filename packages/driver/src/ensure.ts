import { tmpdir } from 'node:os';
import { isAbsolute } from 'node:path';
import { ConvbaseError } from '@convbase/base';
import { tidyFolder } from '@convbase/base/node';
import { create } from 'webgpu';
import { activateDriver, hasVulkanLoader } from './activate.ts';
import { driverAdvice } from './advice.ts';
import { cachedDriver, driversFolder } from './cache.ts';
import { installDriver, type DriverProgress } from './install.ts';
import { withoutNativeNoise } from './quiet.ts';
import { readSystem } from './system.ts';

export interface EnsureDriverOptions {
  /** Fetch the software driver where nothing else gives an adapter. Otherwise only what is there is used. */
  readonly install?: boolean;
  readonly onProgress?: DriverProgress;
  /** Stops fetching it. */
  readonly signal?: AbortSignal;
}

/** Where the adapter comes from. */
export interface DriverState {
  /** `system`: one was there; `cache`: convbase's own software driver; `installed`: the same, fetched just now. */
  readonly source: 'system' | 'cache' | 'installed';
  /** The folder of convbase's own driver. */
  readonly folder?: string;
}

/**
 * Sees to it that Dawn finds an adapter in this process: the system's, else the software driver in convbase's cache,
 * else (with `install`) that driver fetched into the cache. Never writes outside the cache. The answer is remembered.
 *
 * Must run on the main thread, since it changes environment variables that native code reads. Where `VK_DRIVER_FILES`
 * or `VK_ICD_FILENAMES` is set, only what it names is tried; `CONVBASE_DRIVER` may name an unpacked driver.
 *
 * @throws ConvbaseError `adapter/none` where there is no adapter and none can be had, with what to install;
 *   `driver/unavailable`, `driver/fetch`, `driver/broken` from fetching and loading the driver; the signal's reason.
 */
export async function ensureDriver(options: EnsureDriverOptions = {}): Promise<DriverState> {
  // The promise is kept, so that callers at the same time search once; a failure may be tried again.
  known ??= findDriver(options).catch((error: unknown) => {
    known = undefined;
    throw error;
  });
  return known;
}

let known: Promise<DriverState> | undefined;

async function findDriver({
  install = false,
  onProgress = () => undefined,
  signal,
}: EnsureDriverOptions): Promise<DriverState> {
  process.env['XDG_RUNTIME_DIR'] ||= tmpdir(); // unset, the Vulkan loader complains on stderr
  // Drivers keep compiled shaders there, and a relative path would be a folder among the user's own.
  for (const name of ['XDG_CACHE_HOME', 'HOME']) {
    if (!isAbsolute(process.env[name] ?? '/')) Reflect.deleteProperty(process.env, name);
  }
  const given = process.env['CONVBASE_DRIVER'];
  if (given) return useDriver(given, 'cache');
  if (await hasAdapter()) return { source: 'system' };
  const named = process.env['VK_DRIVER_FILES'] || process.env['VK_ICD_FILENAMES'];
  if (named) {
    throw new ConvbaseError(
      'adapter/none',
      'the Vulkan driver that VK_DRIVER_FILES or VK_ICD_FILENAMES names gives no WebGPU adapter',
      {
        where: named,
        fix: 'Unset both variables, or let them name a working driver (Mesa 25 or newer).',
      },
    );
  }
  const system = readSystem();
  if (process.platform !== 'linux') throw noAdapter(driverAdvice(process.platform, system, process.arch));
  const cached = await cachedDriver(driversFolder(), system);
  if (cached !== undefined) {
    await tidyFolder(driversFolder());
    return useDriver(cached, 'cache');
  }
  if (!install) {
    const other = driverAdvice(process.platform, system, process.arch);
    throw noAdapter(
      `Run \`convbase doctor --install-driver\` to get a software driver into convbase's cache. Or: ${other}`,
    );
  }
  return useDriver(await installDriver(driversFolder(), system, onProgress, signal), 'installed');
}

async function useDriver(folder: string, source: DriverState['source']): Promise<DriverState> {
  await activateDriver(folder);
  if (await hasAdapter()) return { source, folder };
  throw new ConvbaseError('driver/broken', 'the software driver gives no WebGPU adapter', {
    where: folder,
    fix: 'Delete this folder and run `convbase doctor --install-driver`.',
  });
}

/** Dawn instances made to ask for an adapter. Dawn's threads use them after the answer, so they are never dropped. */
const asked: GPU[] = [];

/** Whether Dawn has any adapter now. */
async function hasAdapter(): Promise<boolean> {
  if (process.platform === 'linux' && !hasVulkanLoader()) return false;
  const gpu = create([]);
  asked.push(gpu);
  return (await withoutNativeNoise(() => gpu.requestAdapter())) !== null;
}

function noAdapter(fix: string): ConvbaseError {
  return new ConvbaseError('adapter/none', 'no WebGPU adapter was found on this machine', { fix });
}
