import type { Backing } from './allocation.ts';
import type { GpuBuffer } from './buffer.ts';
import { pack } from './packing.ts';

/** Plans kept: those of a model's training, validation and prediction, with full and with last batches. */
const MOST = 32;

/** A piece of memory that a recording wants. */
export interface Slot {
  readonly bytes: number;
  /** The first command that uses it. */
  readonly first: number;
  /** Whether what lies in it outlives the recording; then it holds nothing else. */
  readonly isKept: boolean;
  /** What it was the last time. */
  backing: Backing | null;
}

/** Which memory the buffers of a recording lie in, in the order in which they were created. */
export interface MemoryPlan {
  readonly slots: readonly Slot[];
  readonly places: readonly number[];
}

interface Kept extends MemoryPlan {
  readonly key: readonly number[];
}

/**
 * Plans the memory of recordings by the lifetimes of their buffers, and finds the plan again for a recording like one
 * before: a step of a network uses buffers of the same sizes in the same order each time.
 */
export class MemoryPlans {
  readonly #kept = new Map<number, Kept>();

  /** The plan for buffers that the recording uses and that have no memory yet. */
  of(buffers: readonly GpuBuffer[]): MemoryPlan {
    const key: number[] = [];
    let hash = buffers.length;
    for (const { capacity, first, last, isLive } of buffers) {
      const end = isLive ? -1 : last;
      key.push(capacity, first, end);
      hash = (Math.imul(hash, 31) + capacity) | 0;
      hash = (Math.imul(hash, 31) + first) | 0;
      hash = (Math.imul(hash, 31) + end) | 0;
    }
    const known = this.#kept.get(hash);
    if (known !== undefined && isSame(known.key, key)) {
      // The one used last is forgotten last.
      this.#kept.delete(hash);
      this.#kept.set(hash, known);
      return known;
    }
    const plan = { key, ...planFor(buffers) };
    this.#kept.set(hash, plan);
    if (this.#kept.size > MOST) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return plan;
  }
}

function planFor(buffers: readonly GpuBuffer[]): MemoryPlan {
  const packing = pack(
    buffers.map(({ capacity, first, last, isLive }) =>
      isLive ? { bytes: capacity, first: 0, last: Infinity } : { bytes: capacity, first, last },
    ),
  );
  const tenants = packing.buffers.map((): GpuBuffer[] => []);
  buffers.forEach((buffer, index) => tenants[packing.places[index] ?? -1]?.push(buffer));
  const slots = packing.buffers.map((bytes, index) => {
    const here = tenants[index] ?? [];
    const first = Math.min(...here.map((buffer) => buffer.first));
    return { bytes, first, isKept: here.some(({ isLive }) => isLive), backing: null };
  });
  return { slots, places: packing.places };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
