import { ConvbaseError, visibleLine } from '@convbase/base';
import { cachedTable, environment, openEntry } from '#platform';
import type { TunedTable } from '../tuning/table.ts';
import { type AdapterDescription, describeAdapter } from './adapter.ts';
import { Gpu } from './gpu.ts';
import { kernelTarget, wantedFeatures, wantedLimits } from './kernel-target.ts';

export interface OpenOptions {
  /** Part of an adapter's name, as `CONVBASE_ADAPTER`. Node only; a browser picks by itself. */
  readonly adapter?: string;
  /**
   * 0 quiet; 1 names the adapter and its numbers on stderr; 2 also remembers who owns each buffer, measures the GPU
   * time of every kernel and prints it when the device is closed; 3 also runs each command by itself. Default
   * `CONVBASE_DEBUG` or 0.
   */
  readonly debug?: number;
  /** Pretend that a binding may be no larger than this many bytes. */
  readonly bindingLimit?: number;
  /** `'null'`: compile and validate without any driver; computes nothing. */
  readonly backend?: 'null';
  /**
   * Measure the GPU time of every kernel, see `Gpu.profile`; `'events'` also keeps every single dispatch for
   * `Gpu.takeProfileEvents`. Default: from debug level 2 on.
   */
  readonly profile?: boolean | 'events';
  /**
   * Which kernels measurement prefers to the rules of `choose`. Default in Node: what `convbase tune` left in the cache
   * for this adapter; false: the rules alone.
   */
  readonly tuned?: TunedTable | false;
  /**
   * What is off unless asked for, because nobody has seen it run: `subgroupMatrix`, products and convolutions on tensor
   * cores where Dawn offers them. Default: what `CONVBASE_EXPERIMENTAL` names (`subgroup-matrix`).
   */
  readonly experimental?: { readonly subgroupMatrix?: boolean };
}

/** Smallest limits that the kernels can work with. */
const leastLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
} as const;

/**
 * Opens a WebGPU device: Dawn in Node, `navigator.gpu` in a browser.
 *
 * @throws ConvbaseError `adapter/none` where there is no adapter, `adapter/limits` where its limits are too small,
 * `adapter/device` where it gives no device.
 */
export async function openGpu(options: OpenOptions = {}): Promise<Gpu> {
  const wantedName = options.adapter ?? environment('CONVBASE_ADAPTER');
  const debug = options.debug ?? Number(environment('CONVBASE_DEBUG') ?? 0);
  const subgroupMatrix = options.experimental?.subgroupMatrix ?? experiments().includes('subgroup-matrix');
  const entry = await openEntry({ adapter: wantedName, backend: options.backend });
  // Dawn rejects, instead of giving null, when no adapter has the wanted name; its text lists those there are.
  let reason: unknown;
  const adapter = await entry
    .requestAdapter({ powerPreference: 'high-performance' })
    .catch((error: unknown) => {
      reason = error;
      return null;
    });
  if (!adapter) {
    const named = wantedName === undefined ? '' : ` whose name contains '${visibleLine(wantedName)}'`;
    const details = reason instanceof Error ? `: ${reason.message}` : '';
    throw new ConvbaseError('adapter/none', `no WebGPU adapter${named} was found${details}`.split('\n'), {
      cause: reason,
      fix: 'Run `convbase doctor` to see what is missing; `convbase doctor --install-driver` gets a software driver.',
    });
  }
  const description = describeAdapter(adapter.info, options.backend);
  for (const [name, least] of Object.entries(leastLimits) as [keyof typeof leastLimits, number][]) {
    if (adapter.limits[name] < least) {
      throw new ConvbaseError(
        'adapter/limits',
        `${name} is ${String(adapter.limits[name])}, convbase needs ${String(least)}`,
        {
          where: description.name,
          fix: 'Pick another adapter with CONVBASE_ADAPTER or --adapter.',
        },
      );
    }
  }
  const profile = options.profile ?? debug >= 2;
  const tuned = await tableFor(description, options);
  const device = await adapter
    .requestDevice({
      requiredFeatures: wantedFeatures(adapter, { profile: profile !== false, subgroupMatrix }),
      requiredLimits: wantedLimits(adapter),
    })
    .catch((cause: unknown) => {
      throw new ConvbaseError('adapter/device', 'the adapter gives no device', {
        where: description.name,
        fix: 'Another program may hold the GPU or its memory. Close it, or pick another adapter with CONVBASE_ADAPTER or --adapter.',
        cause,
      });
    });
  const plain = kernelTarget(description.kind, device, adapter.info, options.bindingLimit);
  if (debug >= 1)
    console.error(
      visibleLine(`convbase: ${description.name} (${description.kind}), ${JSON.stringify(plain)}`),
    );
  const target = tuned ? { ...plain, tuned } : plain;
  return new Gpu({ device, adapter: description, target, debug, profile });
}

const EXPERIMENTS = ['subgroup-matrix'];

/** The names in `CONVBASE_EXPERIMENTAL`, separated by commas. */
function experiments(): string[] {
  const names = (environment('CONVBASE_EXPERIMENTAL') ?? '').split(',').map((name) => name.trim());
  const unknown = names.filter((name) => name !== '' && !EXPERIMENTS.includes(name));
  if (unknown.length > 0) {
    throw new ConvbaseError('adapter/experiment', `CONVBASE_EXPERIMENTAL names ${unknown.join(', ')}`, {
      fix: `There is ${EXPERIMENTS.join(', ')}.`,
    });
  }
  return names;
}

/** The table to choose by. The null backend computes nothing, so nothing was measured on it. */
async function tableFor(
  description: AdapterDescription,
  { tuned, backend }: OpenOptions,
): Promise<TunedTable | undefined> {
  if (tuned !== undefined) return tuned === false ? undefined : tuned;
  return backend === 'null' ? undefined : cachedTable(description);
}
