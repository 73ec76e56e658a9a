import { describe, expect, it } from 'vitest';
import type { KernelTarget } from '../commands/plan.ts';
import { describeAdapter } from '../device/adapter.ts';
import { kernelTarget } from '../device/kernel-target.ts';
import { conv2dShape } from '../kernels/conv2d/shape.ts';
import { tunables } from '../kernels/tunables.ts';
import { describeChoice } from './tune.ts';
import type { ProblemShape } from './table.ts';

interface Family {
  readonly vendor: string;
  readonly architecture: string;
  readonly description?: string;
  /** Fewest and most lanes of a subgroup; none where the adapter has no subgroups. */
  readonly lanes?: readonly [least: number, most: number];
}

/** As adapters name themselves to WebGPU. */
const gpus: readonly Family[] = [
  { vendor: 'nvidia', architecture: 'ampere', lanes: [32, 32] },
  { vendor: 'nvidia', architecture: 'hopper', description: 'NVIDIA: 550.120', lanes: [32, 32] },
  { vendor: 'amd', architecture: 'rdna-3', lanes: [32, 64] },
  { vendor: 'amd', architecture: 'gcn-5', lanes: [64, 64] },
  { vendor: 'apple', architecture: 'metal-3', lanes: [4, 64] },
  { vendor: 'intel', architecture: 'xe-lpg', lanes: [8, 32] },
  { vendor: 'intel', architecture: 'gen-9' },
  { vendor: 'qualcomm', architecture: 'adreno-7xx', lanes: [64, 128] },
  { vendor: 'arm', architecture: 'valhall', lanes: [16, 16] },
  // A GPU whose subgroups are as wide as llvmpipe's is no software adapter.
  { vendor: 'someone', architecture: 'new', lanes: [8, 8] },
];
const software: readonly Family[] = [
  { vendor: 'mesa', architecture: 'software', description: 'llvmpipe: Mesa 25.0.7', lanes: [8, 8] },
  { vendor: 'mesa', architecture: 'software', description: 'llvmpipe (LLVM 17, 128 bits)', lanes: [4, 4] },
  { vendor: 'google', architecture: 'swiftshader', lanes: [4, 4] },
  { vendor: 'microsoft', architecture: 'warp', lanes: [4, 4] },
];

function targetOf({ vendor, architecture, description = '', lanes }: Family): KernelTarget {
  const [subgroupMinSize, subgroupMaxSize] = lanes ?? [];
  const info = { vendor, architecture, device: '', description, subgroupMinSize, subgroupMaxSize };
  const adapterInfo = info as unknown as GPUAdapterInfo;
  // The least that convbase opens an adapter with.
  const device = {
    features: new Set(lanes ? ['subgroups'] : []),
    limits: {
      maxStorageBufferBindingSize: 2 ** 27,
      maxComputeWorkgroupStorageSize: 2 ** 14,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupsPerDimension: 65_535,
    },
  } as unknown as GPUDevice;
  return kernelTarget(describeAdapter(adapterInfo, undefined).kind, device, adapterInfo, undefined);
}

/** Convolutions from the first layer to the last, alone and in batches, and the products of a dense head. */
function problems(kernel: string): ProblemShape[] {
  if (kernel === 'matmul') {
    return [
      { m: 20, k: 8192, n: 256 },
      { m: 20, k: 256, n: 8192, transposeB: true },
      { m: 8192, k: 20, n: 256, transposeA: true },
      { m: 20, k: 256, n: 1 },
    ];
  }
  return [1, 32].flatMap((n) =>
    [
      [150, 3, 64, 3],
      [75, 64, 128, 3],
      [17, 768, 192, 1],
      [9, 512, 512, 3],
    ].map(([size = 0, ci = 0, co = 0, taps = 0]) => ({
      ...conv2dShape({
        input: [n, size, size, ci],
        kernel: [taps, taps, ci, co],
        strides: [1, 1],
        padding: 'same',
      }),
    })),
  );
}

/** All kernels that the rules pick for an adapter, and the tuner might. */
function chosen(family: Family): string[] {
  const target = targetOf(family);
  const kernels = Object.entries(tunables).flatMap(([kernel, tunable]) =>
    problems(kernel).map((shape) => {
      const choice = tunable.choose(shape, target);
      const candidates = tunable.candidates(shape, target).map(describeChoice);
      expect(candidates, `${kernel} on ${family.vendor} ${family.architecture}`).toContain(
        describeChoice(choice),
      );
      return `${kernel}: ${String((choice as { variant?: string; product?: string }).variant ?? (choice as { product?: string }).product)}`;
    }),
  );
  return [...new Set(kernels)].sort();
}

describe('the rules as they are shipped', () => {
  it.each(gpus)('give $vendor $architecture the kernels of GPUs', (family) => {
    expect(targetOf(family).kind).toBe('gpu');
    expect(chosen(family)).toEqual([
      'conv2d filter gradient: tiled',
      'conv2d forward: tiled',
      'conv2d frozen: matmul',
      'conv2d frozen: tiled',
      'conv2d input gradient: tiled',
      'matmul: naive',
      'matmul: tiled',
    ]);
  });

  it.each(software)('give $description$architecture kernels without shared memory', (family) => {
    expect(targetOf(family).kind).toBe('software');
    const eight = family.lanes?.[0] === 8;
    for (const kernel of chosen(family)) {
      expect(kernel).toMatch(eight ? /subgroup|outer|naive/ : /register|matmul|naive/);
    }
  });
});
