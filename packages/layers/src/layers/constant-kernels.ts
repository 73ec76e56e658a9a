import { planWinogradKernel, transformedKernelLength, type WinogradChoice } from '@convbase/core-gpu';
import { cast } from '../ops/cast.ts';
import type { ConstantKernel } from '../ops/conv2d.ts';
import { dims4 } from '../ops/dims.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Variable } from './variable.ts';
import { Versions } from './versions.ts';

/**
 * What is made of a kernel while it is not being trained, transforms for Winograd's algorithm or a copy in float16:
 * computed on first use and kept on the GPU until the weights behind it change. Pictures of different sizes may want
 * different transforms.
 */
export class ConstantKernels {
  readonly #made = new Map<string, Tensor>();
  readonly #versions = new Versions();

  /** For an op with `kernel`, which was computed from the variables `from` (or is the only one of them). */
  of(kernel: Tensor, from: readonly Variable[]): ConstantKernel {
    const kept = (key: string, make: () => Tensor): Tensor => {
      if (!this.#versions.areOf(from)) this.dispose();
      this.#versions.note(from);
      const known = this.#made.get(key);
      if (known?.gpu === kernel.gpu) return known;
      known?.dispose();
      const made = make();
      this.#made.set(key, made);
      return made;
    };
    return {
      transformed: (choice) =>
        kept(`${choice.output} ${choice.product} ${kernel.dtype}`, () => transform(kernel, choice)),
      float16: () => kept('float16', () => cast(kernel, 'float16')),
    };
  }

  dispose(): void {
    for (const made of this.#made.values()) made.dispose();
    this.#made.clear();
  }
}

function transform(kernel: Tensor, choice: WinogradChoice): Tensor {
  const { gpu } = kernel;
  const [kh, kw, ci, co] = dims4(kernel);
  const shape = { kh, kw, ci, co };
  const transformed = Tensor.empty(gpu, [transformedKernelLength(shape, choice)], 'transformed kernel');
  gpu.run(planWinogradKernel(shape, choice, gpu.target), {
    kernel: kernel.buffer,
    transformedKernel: transformed.buffer,
  });
  return transformed;
}
