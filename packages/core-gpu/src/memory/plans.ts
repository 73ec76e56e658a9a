import type { Allocation } from './allocation.ts';
import type { GpuBuffer } from './buffer.ts';
import { pack } from './packing.ts';

/** Plans kept: those of a model's training, validation and prediction, with full and with last batches. */
const MAX_PLANS = 32;

/** A block of memory that a recording needs. */
export interface MemoryBlock {
  readonly bytes: number;
  /** The first command that uses it. */
  readonly first: number;
  /** Whether its buffer outlives the recording; then it holds no other one. */
  readonly isKept: boolean;
  /** The allocation that it had the last time. */
  allocation: Allocation | null;
}

/** The memory blocks of a recording, and the block of each of its buffers, in the order of their creation. */
export interface MemoryPlan {
  readonly blocks: readonly MemoryBlock[];
  readonly blockOf: readonly number[];
}

interface CachedPlan extends MemoryPlan {
  readonly key: readonly number[];
}

/**
 * Plans the memory of recordings by the lifetimes of their buffers. Plans are cached: a step of a network uses buffers of
 * the same sizes in the same order each time, and gets the same plan.
 */
export class MemoryPlans {
  readonly #cache = new Map<number, CachedPlan>();

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
    const known = this.#cache.get(hash);
    if (known !== undefined && isSame(known.key, key)) {
      // Least recently used plans go first.
      this.#cache.delete(hash);
      this.#cache.set(hash, known);
      return known;
    }
    const plan = { key, ...planFor(buffers) };
    this.#cache.set(hash, plan);
    if (this.#cache.size > MAX_PLANS) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
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
  const occupants = packing.blocks.map((): GpuBuffer[] => []);
  buffers.forEach((buffer, index) => occupants[packing.blockOf[index] ?? -1]?.push(buffer));
  const blocks = packing.blocks.map((bytes, index) => {
    const here = occupants[index] ?? [];
    const first = Math.min(...here.map((buffer) => buffer.first));
    return { bytes, first, isKept: here.some(({ isLive }) => isLive), allocation: null };
  });
  return { blocks, blockOf: packing.blockOf };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
