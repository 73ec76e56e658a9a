import { readFileSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import type { KernelTarget } from '../commands/plan.ts';
import type { ShaderName } from '../commands/shader.ts';
import { knownFragments } from '../kernels/fragments.ts';
import { shaderTexts } from '../shaders/generated.ts';

const texts: Record<ShaderName, string> = shaderTexts;

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8').trimEnd();
}

/**
 * Lets the tests of a describe block run a shader that includes kernels/shared/subgroup-matrix.wgsl on an adapter without
 * such instructions: that one include is exchanged for emulated-subgroup-matrix.wgsl, all else stays as it is.
 */
export function withEmulatedSubgroupMatrices(shader: ShaderName): void {
  const real = texts[shader];
  beforeAll(() => {
    const [before, after, ...more] = real.split(read('../kernels/shared/subgroup-matrix.wgsl'));
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error(`${shader} does not include subgroup-matrix.wgsl once`);
    texts[shader] = `${before}${read('./emulated-subgroup-matrix.wgsl')}${after}`;
  });
  afterAll(() => {
    texts[shader] = real;
  });
}

/** The target as it would be on an adapter with subgroups of 32 and the fragments of real adapters. */
export function emulatedTarget(target: KernelTarget): KernelTarget {
  return { ...target, subgroupSize: 32, subgroupMatrices: knownFragments };
}
