import type { GPUBuffer } from '../webgpu-types.ts';
import type { Backing } from './allocation.ts';

/**
 * A storage buffer handed out by the pool. `size` is what was asked for, `capacity` what may be used. There is memory
 * behind it from the first write or flush on that uses it (see `BufferPool`).
 */
export class GpuBuffer {
  readonly size: number;
  readonly capacity: number;
  readonly label: string;
  /** Whether it holds float16 numbers where the plans of kernels speak of float32 ones. */
  readonly float16: boolean;
  /** Who asked for it; only where the pool tracks owners. */
  readonly stack: string | undefined;
  /** For the pool alone. */
  backing: Backing | null;
  isLive = true;
  /** The last recording that uses it, and which of its commands do: the first and the last. */
  recording = -1;
  first = 0;
  last = 0;

  constructor(
    size: number,
    capacity: number,
    label: string,
    more: { float16?: boolean; stack?: string | undefined; backing?: Backing } = {},
  ) {
    this.size = size;
    this.capacity = capacity;
    this.label = label;
    this.float16 = more.float16 ?? false;
    this.stack = more.stack;
    this.backing = more.backing ?? null;
  }

  /** The number of the memory behind it, to be asked for when commands are encoded, not before. */
  get id(): number {
    return this.#memory().id;
  }

  /** As with `id`; another one after the device had no memory for the first. */
  get raw(): GPUBuffer {
    return this.#memory().raw;
  }

  #memory(): Backing {
    if (this.backing === null) throw new Error(`there is no memory behind '${this.label}' yet`);
    return this.backing;
  }
}
