import { ConvbaseError } from '@convbase/base';
import { Allocator, type Backing } from './allocation.ts';

/** How many times larger a buffer may be than what is put into it for a while. */
const MOST_TIMES_LARGER = 4;

/** A storage buffer handed out by the pool. `size` is what was asked for, `capacity` what lies behind it. */
export interface GpuBuffer {
  readonly id: number;
  readonly size: number;
  readonly capacity: number;
  readonly label: string;
  /** Whether it holds float16 numbers where the plans of kernels speak of float32 ones. */
  readonly float16: boolean;
  /** Another one after the device had no memory for the first: ask for it when commands are encoded, not before. */
  readonly raw: GPUBuffer;
}

/** What the pool holds: live is handed out, pooled waits to be handed out again. */
export interface MemoryReport {
  readonly liveBytes: number;
  readonly liveBuffers: number;
  readonly pooledBytes: number;
  readonly pooledBuffers: number;
  /** The most bytes that all buffers together have had, live, pooled and waiting to be destroyed. */
  readonly peakBytes: number;
}

/**
 * Storage buffers are handed out again instead of being destroyed: a training step asks for the same sizes
 * every time, so after the first step nothing is allocated. Of the free buffers of a size the oldest is taken, whatever
 * the order in which they were released: a step that begins with the same buffers live gets the same ones again, and so
 * finds its bind groups again.
 *
 * A released buffer may be handed out again at once, even while recorded commands still use it: commands run
 * in the order in which they were recorded, so the new owner's come later.
 *
 * Where the device has no memory left, free buffers are given up and the buffer is made again (`makeRoom`).
 */
export class BufferPool {
  readonly #allocator: Allocator;
  readonly #maxBufferBytes: number;
  readonly #capBytes: number;
  readonly #onEvict: (id: number) => void;
  readonly #free = new Map<number, Backing[]>();
  readonly #live = new Map<number, { buffer: GpuBuffer; backing: Backing; stack: string | undefined }>();
  readonly #trackOwners: boolean;
  #doomed: Backing[] = [];
  #liveBytes = 0;
  #pooledBytes = 0;
  #pooledBuffers = 0;
  #bytes = 0;
  #peakBytes = 0;

  constructor(
    device: GPUDevice,
    options: {
      maxBufferBytes: number;
      /** Pooled bytes above which the largest free buffers are destroyed at the next flush. */
      capBytes: number;
      /** Keep a stack trace for every live buffer, for `owners()`. */
      trackOwners: boolean;
      onEvict: (id: number) => void;
      /** Told of a buffer that had no memory when something was written into it. */
      onLoss: (error: ConvbaseError) => void;
    },
  ) {
    this.#allocator = new Allocator(device, options.onLoss);
    // Some adapters say 2^32 - 1; bindings and copies want multiples of 4.
    this.#maxBufferBytes = Math.floor(options.maxBufferBytes / 256) * 256;
    this.#capBytes = options.capBytes;
    this.#trackOwners = options.trackOwners;
    this.#onEvict = options.onEvict;
  }

  /**
   * A buffer of at least `bytes`; its contents are undefined.
   *
   * A free one of just that size is taken first, then, for what is soon given back, the smallest larger one. `lasting`
   * says that it will be kept for long, so that it should be no larger than it has to be; `avoid` which it must not be.
   */
  create(
    bytes: number,
    label: string,
    {
      lasting = false,
      float16 = false,
      avoid,
    }: { lasting?: boolean; float16?: boolean; avoid?: ReadonlySet<number> } = {},
  ): GpuBuffer {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new ConvbaseError('memory/size', `${String(bytes)} is no number of bytes`, { where: label });
    }
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    const capacity = Math.min(sizeClass(size), this.#maxBufferBytes);
    if (size > this.#maxBufferBytes) {
      throw new ConvbaseError(
        'memory/too-large',
        `a buffer of ${String(size)} bytes is wanted, the adapter allows ${String(this.#maxBufferBytes)}`,
        { where: label, fix: 'Use a smaller batch or smaller pictures, or an adapter with more memory.' },
      );
    }
    const backing =
      this.#takeFree(capacity, avoid) ??
      (lasting ? undefined : this.#takeLarger(capacity, avoid)) ??
      this.#allocate(capacity);
    const buffer: GpuBuffer = {
      ...{ id: backing.id, size, capacity: backing.capacity, label, float16 },
      get raw() {
        return backing.raw;
      },
    };
    this.#live.set(buffer.id, {
      buffer,
      backing,
      stack: this.#trackOwners ? new Error(label).stack : undefined,
    });
    this.#liveBytes += backing.capacity;
    return buffer;
  }

  /** Takes a buffer back. Releasing twice is an error. */
  release(buffer: GpuBuffer): void {
    const live = this.#live.get(buffer.id);
    if (live?.buffer !== buffer) {
      throw new ConvbaseError('memory/released', 'the buffer has been released already', {
        where: buffer.label,
      });
    }
    const { backing } = live;
    const { id, capacity } = backing;
    this.#live.delete(id);
    this.#liveBytes -= capacity;
    if (this.#pooledBytes + capacity > this.#capBytes) {
      this.#doomed.push(backing);
      return;
    }
    const list = this.#free.get(capacity);
    if (list) list.splice(placeOf(id, list), 0, backing);
    else this.#free.set(capacity, [backing]);
    this.#pooledBytes += capacity;
    this.#pooledBuffers += 1;
  }

  report(): MemoryReport {
    return {
      liveBytes: this.#liveBytes,
      liveBuffers: this.#live.size,
      pooledBytes: this.#pooledBytes,
      pooledBuffers: this.#pooledBuffers,
      peakBytes: this.#peakBytes,
    };
  }

  /** Buffers made so far. */
  get made(): number {
    return this.#allocator.made;
  }

  /** Every live buffer with the stack that asked for it (only with `trackOwners`). */
  owners(): { label: string; bytes: number; stack: string | undefined }[] {
    return [...this.#live.values()].map(({ buffer, stack }) => ({
      label: buffer.label,
      bytes: buffer.capacity,
      stack,
    }));
  }

  /** Buffers to destroy once the commands recorded so far have been submitted. */
  takeDoomed(): (() => void)[] {
    const doomed = this.#doomed;
    this.#doomed = [];
    return doomed.map((backing) => () => {
      this.#destroy(backing);
    });
  }

  /** Gives all free buffers back to the system with the next flush. */
  trim(): void {
    for (const list of this.#free.values()) this.#doomed.push(...list);
    this.#free.clear();
    this.#pooledBytes = 0;
    this.#pooledBuffers = 0;
  }

  /**
   * Whether a buffer may be written to without waiting for what is recorded. If it has no memory, its contents are then
   * lost (`onLoss`); where that is known already, it may not.
   */
  fill(buffer: GpuBuffer): boolean {
    const backing = this.#live.get(buffer.id)?.backing;
    if (backing === undefined || backing.state === 'there') return true;
    if (backing.state === 'failed') return false;
    backing.filled = true;
    return true;
  }

  /** Whether the device has been found to have memory for every buffer. */
  get isSettled(): boolean {
    return this.#allocator.isSettled;
  }

  /** Buffers that the device had no memory for and that are needed now; `makeRoom` is to be called for them. */
  async failures(isNeeded: (id: number) => boolean): Promise<readonly Backing[]> {
    return this.#allocator.failures(isNeeded);
  }

  /**
   * Destroys all free buffers but those that waiting commands need, and makes the failed ones anew.
   *
   * @param needed the ids of buffers in commands that have not been submitted
   * @throws ConvbaseError `device/out-of-memory` if that did not help
   */
  async makeRoom(failed: readonly Backing[], needed: ReadonlySet<number>): Promise<void> {
    for (const [capacity, list] of this.#free) {
      const kept = list.filter((backing) => needed.has(backing.id));
      for (const backing of list) {
        if (needed.has(backing.id)) continue;
        this.#destroy(backing);
        this.#pooledBytes -= capacity;
        this.#pooledBuffers -= 1;
      }
      this.#free.set(capacity, kept);
    }
    await this.#allocator.retry(failed);
  }

  /** The oldest free buffer of this capacity that is not among those to avoid. */
  #takeFree(capacity: number, avoid: ReadonlySet<number> | undefined): Backing | undefined {
    const free = this.#free.get(capacity);
    if (free === undefined) return undefined;
    const at = avoid === undefined ? free.length - 1 : free.findLastIndex(({ id }) => !avoid.has(id));
    const [found] = at < 0 ? [] : free.splice(at, 1);
    if (found === undefined) return undefined;
    this.#pooledBytes -= capacity;
    this.#pooledBuffers -= 1;
    return found;
  }

  #takeLarger(capacity: number, avoid: ReadonlySet<number> | undefined): Backing | undefined {
    const larger = [...this.#free.keys()].filter(
      (size) => size > capacity && size <= MOST_TIMES_LARGER * capacity,
    );
    for (const size of larger.sort((a, b) => a - b)) {
      const found = this.#takeFree(size, avoid);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #allocate(capacity: number): Backing {
    this.#bytes += capacity;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return this.#allocator.allocate(capacity);
  }

  #destroy({ id, raw, capacity }: Backing): void {
    this.#bytes -= capacity;
    this.#onEvict(id);
    raw.destroy();
  }
}

/** Where a buffer belongs among free ones, which lie in descending order so that the oldest is the last. */
function placeOf(id: number, list: readonly Backing[]): number {
  let at = list.length;
  for (let before = list[at - 1]; before !== undefined && before.id < id; before = list[at - 1]) at -= 1;
  return at;
}

/** Rounds up to one of eight steps between powers of two, so that nearly equal sizes share buffers (waste < 1/8). */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes - 1)) - 3));
  return Math.ceil(bytes / step) * step;
}
