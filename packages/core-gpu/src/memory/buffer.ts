import type { GPUBuffer } from '../webgpu-types.ts';
import type { Allocation } from './allocation.ts';

/**
 * A storage buffer of the pool. `size` is what was asked for, `capacity` what may be used. It gets its memory with the
 * first write or flush that uses it (see `BufferPool`).
 */
export class GpuBuffer {
  readonly size: number;
  readonly capacity: number;
  readonly label: string;
  /** Whether it holds float16 numbers where a plan says float32. */
  readonly float16: boolean;
  /** Who asked for it; only where the pool tracks owners. */
  readonly stack: string | undefined;
  /** For the pool alone. */
  allocation: Allocation | null;
  isLive = true;
  /** The last recording that uses it, and which of its commands do: the first and the last. */
  recording = -1;
  first = 0;
  last = 0;

  constructor(
    size: number,
    capacity: number,
    label: string,
    more: { float16?: boolean; stack?: string | undefined; allocation?: Allocation } = {},
  ) {
    this.size = size;
    this.capacity = capacity;
    this.label = label;
    this.float16 = more.float16 ?? false;
    this.stack = more.stack;
    this.allocation = more.allocation ?? null;
  }

  /** The number of its allocation. Not to be read before commands are encoded. */
  get id(): number {
    return this.#memory().id;
  }

  /** As `id`; it changes where the device had no memory at first. */
  get raw(): GPUBuffer {
    return this.#memory().raw;
  }

  #memory(): Allocation {
    if (this.allocation === null) throw new Error(`'${this.label}' has no memory yet`);
    return this.allocation;
  }
}
