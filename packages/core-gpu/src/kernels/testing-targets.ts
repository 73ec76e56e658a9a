import type { KernelTarget } from '../commands/plan.ts';

/** A GPU with the least that convbase opens one with, for tests of what is chosen and planned. */
export const gpuTarget: KernelTarget = {
  kind: 'gpu',
  subgroupSize: 32,
  maxBindingBytes: 2 ** 27,
  offsetAlignment: 512,
  maxWorkgroupBytes: 16_384,
  maxInvocations: 256,
  maxGrid: 65_535,
};

/** llvmpipe with its subgroups of 8. */
export const softwareTarget: KernelTarget = { ...gpuTarget, kind: 'software', subgroupSize: 8 };
