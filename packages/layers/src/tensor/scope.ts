import type { Gpu } from '@convbase/core-gpu';
import { tensor, type Tensor } from './tensor.ts';

/** Collects tensors to be disposed of together. */
export class Scope {
  readonly gpu: Gpu;
  readonly #owned = new Set<Tensor>();

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** Hands a tensor to the scope and returns it. */
  own<T extends Tensor>(value: T): T {
    this.#owned.add(value);
    return value;
  }

  /** A new tensor owned by the scope; see `tensor`. */
  tensor(data: Float32Array | Uint8Array | Int32Array, shape: readonly number[]): Tensor {
    return this.own(tensor(this.gpu, data, shape));
  }

  /** Takes a tensor out of the scope: it outlives it. */
  keep<T extends Tensor>(value: T): T {
    this.#owned.delete(value);
    return value;
  }

  dispose(): void {
    for (const value of this.#owned) value.dispose();
    this.#owned.clear();
  }
}

/**
 * Runs `body` and then disposes of every tensor handed to the scope with `own`, also when `body` throws.
 *
 * Nothing is captured behind the caller's back, so scopes may be asynchronous and may overlap.
 */
export async function scope<T>(gpu: Gpu, body: (scope: Scope) => T | Promise<T>): Promise<T> {
  const own = new Scope(gpu);
  try {
    return await body(own);
  } finally {
    own.dispose();
  }
}
