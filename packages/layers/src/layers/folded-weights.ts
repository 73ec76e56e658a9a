import type { Gpu } from '@convbase/core-gpu';
import type { Tensor } from '../tensor/tensor.ts';
import type { Variable } from './variable.ts';

interface Folded {
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

/** Weights computed from other weights, kept on the GPU until one of those changes. */
export class FoldedWeights {
  #folded: Folded | null = null;
  #from: readonly Variable[] = [];
  #versions: readonly number[] = [];

  /** What `compute` made of the variables `from` as they are now; borrowed. */
  get(gpu: Gpu, from: readonly Variable[], compute: () => Folded): Folded {
    if (this.#folded !== null && this.#folded.kernel.gpu === gpu && this.#fresh(from)) return this.#folded;
    this.dispose();
    this.#folded = compute();
    this.#from = from;
    this.#versions = from.map((variable) => variable.version);
    return this.#folded;
  }

  dispose(): void {
    this.#folded?.kernel.dispose();
    this.#folded?.bias.dispose();
    this.#folded = null;
  }

  #fresh(from: readonly Variable[]): boolean {
    return (
      from.length === this.#from.length &&
      from.every((variable, i) => variable === this.#from[i] && variable.version === this.#versions[i])
    );
  }
}
