import type { Gpu } from '@convbase/core-gpu';
import type { DType, Tensor } from '../tensor/tensor.ts';
import type { Variable } from './variable.ts';
import { Versions } from './versions.ts';

interface Folded {
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

/** Weights computed from other weights, kept on the GPU until one of those changes. */
export class FoldedWeights {
  #folded: Folded | null = null;
  readonly #versions = new Versions();

  /** What `compute` made of the variables `from` as they are now, with a kernel of this type; borrowed. */
  get(gpu: Gpu, from: readonly Variable[], dtype: DType, compute: () => Folded): Folded {
    const kernel = this.#folded?.kernel;
    if (
      this.#folded !== null &&
      kernel?.gpu === gpu &&
      kernel.dtype === dtype &&
      this.#versions.areOf(from)
    ) {
      return this.#folded;
    }
    this.dispose();
    this.#folded = compute();
    this.#versions.note(from);
    return this.#folded;
  }

  dispose(): void {
    this.#folded?.kernel.dispose();
    this.#folded?.bias.dispose();
    this.#folded = null;
  }
}
