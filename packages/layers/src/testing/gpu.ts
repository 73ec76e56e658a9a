import { openGpu, type Gpu } from '@convbase/core-gpu';
import { afterAll, beforeAll, expect } from 'vitest';

/**
 * Opens a GPU for the tests of a file (or `describe`), and checks at the end that nothing is left on it. What was tuned on
 * this machine is not used.
 */
export function withGpu(options: Parameters<typeof openGpu>[0] = {}): () => Gpu {
  let gpu: Gpu | undefined;
  beforeAll(async () => {
    gpu = await openGpu({ tuned: false, ...options });
  });
  afterAll(() => {
    const left = gpu?.owners().map((owner) => owner.label);
    gpu?.destroy();
    expect(left).toEqual([]);
  });
  return () => {
    if (gpu === undefined) throw new Error('the GPU is open only inside tests');
    return gpu;
  };
}
