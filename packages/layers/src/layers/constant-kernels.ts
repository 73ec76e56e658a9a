import { planWinogradKernel, winogradFactors, type WinogradChoice } from '@convbase/core-gpu';
import type { ConstantKernel } from '../ops/conv2d.ts';
import { dims4 } from '../ops/dims.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Variable } from './variable.ts';
import { Versions } from './versions.ts';

/**
 * The kernel of a convolution while it is not being trained, transformed for Winograd's algorithm: computed on first use
 * and kept on the GPU until the weights behind it change. Pictures of different sizes may want different transforms.
 */
export class ConstantKernels {
  readonly #factors = new Map<string, Tensor>();
  readonly #versions = new Versions();

  /** For a `conv2d` with `kernel`, which was computed from the variables `from` (or is the only one of them). */
  of(kernel: Tensor, from: readonly Variable[]): ConstantKernel {
    return {
      factors: (choice) => {
        if (!this.#versions.areOf(from)) this.dispose();
        this.#versions.note(from);
        const key = `${choice.output} ${choice.product}`;
        const kept = this.#factors.get(key);
        if (kept?.gpu === kernel.gpu) return kept;
        kept?.dispose();
        const factors = kernel.gpu.lasting(() => transform(kernel, choice));
        this.#factors.set(key, factors);
        return factors;
      },
    };
  }

  dispose(): void {
    for (const factors of this.#factors.values()) factors.dispose();
    this.#factors.clear();
  }
}

function transform(kernel: Tensor, choice: WinogradChoice): Tensor {
  const { gpu } = kernel;
  const [, , ci, co] = dims4(kernel);
  const factors = Tensor.empty(gpu, [winogradFactors({ ci, co }, choice)], 'transformed kernel');
  gpu.run(planWinogradKernel({ ci, co }, choice, gpu.target), {
    kernel: kernel.buffer,
    factors: factors.buffer,
  });
  return factors;
}
