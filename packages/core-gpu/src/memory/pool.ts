import { ConvbaseError } from '@convbase/base';

/** A storage buffer handed out by the pool. `size` is what was asked for, `capacity` what lies behind it. */
export interface GpuBuffer {
  readonly id: number;
  readonly size: number;
  readonly capacity: number;
  readonly label: string;
  readonly raw: GPUBuffer;
}

/** What the pool holds: live is handed out, pooled waits to be handed out again. */
export interface MemoryReport {
  readonly liveBytes: number;
  readonly liveBuffers: number;
  readonly pooledBytes: number;
  readonly pooledBuffers: number;
}

// GPUBufferUsage.STORAGE | COPY_SRC | COPY_DST: constants, because the global is not there in plain Node.
const STORAGE_USAGE = 0x80 | 0x4 | 0x8;

interface Backing {
  readonly raw: GPUBuffer;
  readonly id: number;
  readonly capacity: number;
}

/**
 * Storage buffers are handed out again instead of being destroyed: a training step asks for the same sizes
 * every time, so after the first step nothing is allocated.
 *
 * A released buffer may be handed out again at once, even while recorded commands still use it: commands run
 * in the order in which they were recorded, so the new owner's come later.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #maxBufferBytes: number;
  readonly #capBytes: number;
  readonly #onEvict: (id: number) => void;
  readonly #free = new Map<number, Backing[]>();
  readonly #live = new Map<number, { buffer: GpuBuffer; stack: string | undefined }>();
  readonly #trackOwners: boolean;
  #doomed: Backing[] = [];
  #liveBytes = 0;
  #pooledBytes = 0;
  #pooledBuffers = 0;
  #nextId = 1;

  constructor(
    device: GPUDevice,
    options: {
      maxBufferBytes: number;
      /** Pooled bytes above which the largest free buffers are destroyed at the next flush. */
      capBytes: number;
      /** Keep a stack trace for every live buffer, for `owners()`. */
      trackOwners: boolean;
      onEvict: (id: number) => void;
    },
  ) {
    this.#device = device;
    // Some adapters say 2^32 - 1; bindings and copies want multiples of 4.
    this.#maxBufferBytes = Math.floor(options.maxBufferBytes / 256) * 256;
    this.#capBytes = options.capBytes;
    this.#trackOwners = options.trackOwners;
    this.#onEvict = options.onEvict;
  }

  /** A buffer of at least `bytes`; its contents are undefined. */
  create(bytes: number, label: string): GpuBuffer {
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
    const pooled = this.#free.get(capacity)?.pop();
    if (pooled) {
      this.#pooledBytes -= capacity;
      this.#pooledBuffers -= 1;
    }
    const backing = pooled ?? this.#allocate(capacity);
    const buffer: GpuBuffer = { id: backing.id, size, capacity, label, raw: backing.raw };
    this.#live.set(buffer.id, { buffer, stack: this.#trackOwners ? new Error(label).stack : undefined });
    this.#liveBytes += capacity;
    return buffer;
  }

  /** Takes a buffer back. Releasing twice is an error. */
  release(buffer: GpuBuffer): void {
    if (this.#live.get(buffer.id)?.buffer !== buffer) {
      throw new ConvbaseError('memory/released', 'the buffer has been released already', {
        where: buffer.label,
      });
    }
    const { id, raw, capacity } = buffer;
    this.#live.delete(id);
    this.#liveBytes -= capacity;
    if (this.#pooledBytes + capacity > this.#capBytes) {
      this.#doomed.push({ id, raw, capacity });
      return;
    }
    const list = this.#free.get(capacity);
    if (list) list.push({ id, raw, capacity });
    else this.#free.set(capacity, [{ id, raw, capacity }]);
    this.#pooledBytes += capacity;
    this.#pooledBuffers += 1;
  }

  report(): MemoryReport {
    return {
      liveBytes: this.#liveBytes,
      liveBuffers: this.#live.size,
      pooledBytes: this.#pooledBytes,
      pooledBuffers: this.#pooledBuffers,
    };
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
    return doomed.map(({ id, raw }) => () => {
      this.#onEvict(id);
      raw.destroy();
    });
  }

  /** Gives all free buffers back to the system with the next flush. */
  trim(): void {
    for (const list of this.#free.values()) this.#doomed.push(...list);
    this.#free.clear();
    this.#pooledBytes = 0;
    this.#pooledBuffers = 0;
  }

  #allocate(capacity: number): Backing {
    const raw = this.#device.createBuffer({ size: capacity, usage: STORAGE_USAGE });
    return { raw, id: this.#nextId++, capacity };
  }
}

/** Rounds up to one of eight steps between powers of two, so that nearly equal sizes share buffers (waste < 1/8). */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes - 1)) - 3));
  return Math.ceil(bytes / step) * step;
}
