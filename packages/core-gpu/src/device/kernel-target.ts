import type { KernelTarget } from '../commands/plan.ts';
import type { FragmentShape } from '../kernels/fragments.ts';

/** What Dawn calls the instructions of tensor cores; no other WebGPU has them yet. */
export const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix';

/** The features convbase makes use of where the adapter has them. */
export function wantedFeatures(
  adapter: GPUAdapter,
  { profile, subgroupMatrix }: { readonly profile: boolean; readonly subgroupMatrix: boolean },
): GPUFeatureName[] {
  const wanted = ['subgroups', 'shader-f16'];
  if (profile) wanted.push('timestamp-query');
  if (subgroupMatrix) wanted.push(SUBGROUP_MATRIX);
  return wanted.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[];
}

/** The fragments that sum in float32 among those that an adapter's subgroups multiply. */
export function fragmentShapes(
  info: GPUAdapterInfo,
  features: { has(name: string): boolean },
): FragmentShape[] {
  if (!features.has(SUBGROUP_MATRIX)) return [];
  const { subgroupMatrixConfigs = [] } = info as {
    subgroupMatrixConfigs?: Iterable<{
      readonly componentType: string;
      readonly resultComponentType: string;
      readonly M: number;
      readonly N: number;
      readonly K: number;
    }>;
  };
  return Array.from(subgroupMatrixConfigs, (config) => config).flatMap(
    ({ componentType: element, resultComponentType, M: m, N: n, K: k }) =>
      (element === 'f32' || (element === 'f16' && features.has('shader-f16'))) &&
      resultComponentType === 'f32'
        ? [{ element, m, n, k }]
        : [],
  );
}

/** The limits convbase makes use of, as high as this adapter has them and no higher than is of use. */
export function wantedLimits(adapter: GPUAdapter): Record<string, number> {
  const { limits } = adapter;
  return {
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupStorageSize: Math.min(limits.maxComputeWorkgroupStorageSize, 32768),
    maxComputeInvocationsPerWorkgroup: Math.min(limits.maxComputeInvocationsPerWorkgroup, 256),
    maxComputeWorkgroupSizeX: Math.min(limits.maxComputeWorkgroupSizeX, 256),
  };
}

/** The plain numbers that kernels choose and plan by. */
export function kernelTarget(
  kind: KernelTarget['kind'],
  device: GPUDevice,
  info: GPUAdapterInfo,
  bindingLimit: number | undefined,
): KernelTarget {
  const { limits } = device;
  const { subgroupMinSize: least, subgroupMaxSize: most } = info as {
    subgroupMinSize?: number;
    subgroupMaxSize?: number;
  };
  const subgroups = device.features.has('subgroups') && least !== undefined;
  const subgroupMatrices = fragmentShapes(info, device.features);
  // Twice what WebGPU asks for: half of an offset in float32 numbers is one in float16 numbers.
  const alignment = 512;
  const maxBinding = Math.min(limits.maxStorageBufferBindingSize, bindingLimit ?? Infinity);
  return {
    kind,
    subgroupSize: subgroups && least === most ? least : 0,
    ...(subgroups && { leastSubgroupSize: least }),
    maxBindingBytes: Math.floor(maxBinding / alignment) * alignment,
    offsetAlignment: alignment,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxGrid: limits.maxComputeWorkgroupsPerDimension,
    ...(subgroupMatrices.length > 0 && { subgroupMatrices }),
  };
}
