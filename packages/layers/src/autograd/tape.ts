import { addInto } from '../ops/accumulate.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * Turns the gradient of an output into the gradients of the inputs.
 *
 * `dy` and `saved` are borrowed, the returned tensors belong to the tape. `wanted[i]` says whether input `i` leads to
 * something trainable; the result for an input that does not is null.
 */
export type Backward = (
  dy: Tensor,
  saved: readonly Tensor[],
  wanted: readonly boolean[],
) => readonly (Tensor | null)[];

interface Entry {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly saved: readonly Tensor[];
  readonly wanted: readonly boolean[];
  readonly backward: Backward;
  /** The layer whose call recorded it. */
  readonly layer: string;
}

/**
 * Reverse-mode differentiation: every op that touches a watched tensor, or something computed from one, leaves an
 * entry; `gradients` walks the entries backwards.
 *
 * Tensors are recognised by identity, so an input recorded here may be disposed of by its owner at any time: what the
 * gradient needs is kept in `saved`, as a share of its own. An op none of whose inputs is watched leaves nothing,
 * which is why frozen layers in front of the first trainable one cost no memory.
 */
export class Tape {
  #entries: Entry[] = [];
  readonly #watched = new Set<Tensor>();

  /** From here on, gradients flow to this tensor. */
  watch(leaf: Tensor): void {
    this.#watched.add(leaf);
  }

  /** Whether gradients flow to this tensor. */
  watches(value: Tensor): boolean {
    return this.#watched.has(value);
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Records that `output` was computed from `inputs`; `saved` are kept alive until the walk has passed. */
  record(inputs: readonly Tensor[], output: Tensor, saved: readonly Tensor[], backward: Backward): void {
    const wanted = inputs.map((input) => this.#watched.has(input));
    if (!wanted.includes(true)) return;
    this.#watched.add(output);
    const { layer } = output.gpu.currentLabel;
    const kept = saved.map((value) => value.share());
    this.#entries.push({ inputs, output, saved: kept, wanted, backward, layer });
  }

  /**
   * The gradients of `output` with respect to every watched leaf it depends on, given its own gradient `dy`, which is
   * consumed. Leaves that `output` does not depend on are missing from the map. The caller owns the gradients. The
   * tape is empty afterwards, also when a step of the walk fails; then the gradients found so far are given back.
   */
  gradients(output: Tensor, dy: Tensor): Map<Tensor, Tensor> {
    const found = new Map<Tensor, Tensor>([[output, dy]]);
    try {
      for (let entry = this.#entries.at(-1); entry !== undefined; entry = this.#entries.at(-1)) {
        const gradient = found.get(entry.output);
        if (gradient !== undefined) {
          const { backward, saved, wanted, layer } = entry;
          const results = gradient.gpu.label(layer, () => backward(gradient, saved, wanted), 'backward');
          found.delete(entry.output);
          gradient.dispose();
          entry.inputs.forEach((input, index) => {
            const result = results[index];
            if (result === null || result === undefined) return;
            if (entry.wanted[index] === true) accumulate(found, input, result);
            else result.dispose();
          });
        }
        release(entry);
        this.#entries.pop();
      }
    } catch (error) {
      for (const gradient of found.values()) gradient.dispose();
      throw error;
    } finally {
      this.dispose();
    }
    return found;
  }

  /** Lets go of everything still recorded; for a step that failed half-way. */
  dispose(): void {
    this.#entries.forEach(release);
    this.#entries = [];
    this.#watched.clear();
  }
}

function release(entry: Entry): void {
  for (const value of entry.saved) value.dispose();
}

/** A tensor used several times receives the sum of what comes back from each use. */
function accumulate(found: Map<Tensor, Tensor>, input: Tensor, value: Tensor): void {
  const total = found.get(input);
  found.set(input, total === undefined ? value : addInto(total, value));
}
