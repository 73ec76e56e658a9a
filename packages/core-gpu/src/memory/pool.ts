import { ConvbaseError } from '@convbase/base';
import type { GPUDevice } from '../webgpu-types.ts';
import { Allocator, type Allocation } from './allocation.ts';
import { GpuBuffer } from './buffer.ts';
import { MemoryPlans, type MemoryBlock } from './plans.ts';

/** What the pool holds: live buffers are in the hands of callers, pooled memory waits to be used again. */
export interface MemoryReport {
  /** Bytes of the live buffers, whether they have memory yet or not. */
  readonly liveBytes: number;
  readonly liveBuffers: number;
  readonly pooledBytes: number;
  readonly pooledBuffers: number;
  /** The most bytes that all memory together has been, live, pooled and waiting to be destroyed. */
  readonly peakBytes: number;
}

/**
 * A pool of storage buffers with planned memory. A buffer is only a size and a name until the commands that use it are
 * flushed. By then its lifetime is known: the first and the last of these commands. So the buffers of a recording are
 * packed into few memory blocks (`packing.ts`). A buffer that is written at once, or outlives its recording, gets an
 * allocation of its own.
 *
 * Allocations stay for the next recording. A recording like one before it gets the same plan and the same allocations:
 * it allocates nothing, and its bind groups are in the cache.
 *
 * Where the device has no memory left, free allocations are destroyed and the buffer is created again (`makeRoom`).
 */
export class BufferPool {
  readonly #allocator: Allocator;
  readonly #maxBufferBytes: number;
  readonly #capBytes: number;
  readonly #onEvict: (id: number) => void;
  readonly #trackOwners: boolean;
  readonly #live = new Set<GpuBuffer>();
  readonly #free = new Set<Allocation>();
  readonly #plans = new MemoryPlans();
  /** Buffers without memory. */
  #unallocated: GpuBuffer[] = [];
  /** Allocations of released buffers that recorded commands still use: free once those are encoded. */
  #inUse: Allocation[] = [];
  /** Allocations to destroy once the commands recorded so far have been submitted. */
  #pendingDestruction: Allocation[] = [];
  #recording = 0;
  #liveBytes = 0;
  #pooledBytes = 0;
  #bytes = 0;
  #peakBytes = 0;

  constructor(
    device: GPUDevice,
    options: {
      maxBufferBytes: number;
      /** Above this much free memory, the least recently used allocations are destroyed. */
      capBytes: number;
      /** Keep a stack trace for every live buffer, for `owners()`. */
      trackOwners: boolean;
      onEvict: (id: number) => void;
      /** Called for a buffer that had no memory when something was written to it. */
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

  /** A buffer of at least `bytes`; its contents are undefined. */
  create(bytes: number, label: string, { float16 = false }: { float16?: boolean } = {}): GpuBuffer {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new ConvbaseError('memory/size', `${String(bytes)} is no number of bytes`, { where: label });
    }
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    if (size > this.#maxBufferBytes) {
      throw new ConvbaseError(
        'memory/too-large',
        `a buffer of ${String(size)} bytes is wanted, the adapter allows ${String(this.#maxBufferBytes)}`,
        { where: label, fix: 'Use a smaller batch or smaller images, or an adapter with more memory.' },
      );
    }
    const capacity = Math.min(sizeClass(size), this.#maxBufferBytes);
    const stack = this.#trackOwners ? new Error(label).stack : undefined;
    const buffer = new GpuBuffer(size, capacity, label, { float16, stack });
    this.#live.add(buffer);
    this.#unallocated.push(buffer);
    this.#liveBytes += capacity;
    return buffer;
  }

  /** Notes that the commands `first` to `last` of the recording use a buffer. */
  use(buffer: GpuBuffer, first: number, last: number): void {
    if (buffer.recording !== this.#recording) {
      buffer.recording = this.#recording;
      buffer.first = first;
    }
    buffer.last = last;
  }

  /** Whether recorded commands use the buffer. */
  isUsed({ recording }: GpuBuffer): boolean {
    return recording === this.#recording;
  }

  /** Releases a buffer; recorded commands may still use it. Releasing twice is an error. */
  release(buffer: GpuBuffer): void {
    if (!this.#live.delete(buffer)) {
      throw new ConvbaseError('memory/released', 'the buffer has been released already', {
        where: buffer.label,
      });
    }
    buffer.isLive = false;
    this.#liveBytes -= buffer.capacity;
    const { allocation } = buffer;
    if (allocation === null) return;
    this.#pooledBytes += allocation.capacity;
    if (this.isUsed(buffer)) this.#inUse.push(allocation);
    else this.#recycle(allocation);
  }

  /**
   * Allocates memory for every buffer that the recorded commands use, and begins a new recording. To be called when the
   * commands are about to be encoded.
   */
  allocateUsed(): void {
    const used = this.#unallocated.filter((buffer) => this.isUsed(buffer) && buffer.allocation === null);
    if (this.#unallocated.length > 0) {
      this.#unallocated = this.#unallocated.filter((buffer) => buffer.isLive && !this.isUsed(buffer));
    }
    if (used.length > 0) this.#allocateAll(used);
    for (const allocation of this.#inUse) this.#recycle(allocation);
    this.#inUse = [];
    if (this.#pooledBytes > this.#capBytes) this.#shrink();
    this.#recording += 1;
  }

  /**
   * Writes to a buffer at once, and allocates its memory if it has none. Returns false, and writes nothing, where that has
   * to wait: for recorded commands that use it, for commands that have not been submitted (`waiting`, their allocations by
   * id), or for memory.
   */
  write(
    buffer: GpuBuffer,
    byteOffset: number,
    data: Uint8Array<ArrayBuffer>,
    waiting: Iterable<ReadonlySet<number>>,
  ): boolean {
    if (this.isUsed(buffer)) return false;
    const allocation = (buffer.allocation ??= this.#allocateExact(buffer.capacity));
    for (const ids of waiting) if (ids.has(allocation.id)) return false;
    // There may be no memory for it yet, but some that can be freed: then the write is recorded.
    if (allocation.state === 'unknown' && this.#pooledBytes >= allocation.capacity) return false;
    return this.#allocator.write(allocation, byteOffset, data);
  }

  report(): MemoryReport {
    return {
      liveBytes: this.#liveBytes,
      liveBuffers: this.#live.size,
      pooledBytes: this.#pooledBytes,
      pooledBuffers: this.#free.size + this.#inUse.length,
      peakBytes: this.#peakBytes,
    };
  }

  /** Buffers created so far. */
  get made(): number {
    return this.#allocator.made;
  }

  /** Every live buffer with the stack that asked for it (only with `trackOwners`). */
  owners(): { label: string; bytes: number; stack: string | undefined }[] {
    return Array.from(this.#live, ({ label, capacity, stack }) => ({ label, bytes: capacity, stack }));
  }

  /** Functions that destroy allocations, to be called once the commands recorded so far have been submitted. */
  takePendingDestruction(): (() => void)[] {
    const pendingDestruction = this.#pendingDestruction;
    this.#pendingDestruction = [];
    return pendingDestruction.map((allocation) => () => {
      this.#destroy(allocation);
    });
  }

  /** Returns all free memory to the system with the next flush. */
  trim(): void {
    for (const allocation of this.#free) this.#scheduleDestruction(allocation);
  }

  /** Whether the device has been found to have memory for every buffer. */
  get isSettled(): boolean {
    return this.#allocator.isSettled;
  }

  /** Buffers that the device had no memory for and that are needed now; `makeRoom` is to be called for them. */
  async failures(isNeeded: (id: number) => boolean): Promise<readonly Allocation[]> {
    return this.#allocator.failures(isNeeded);
  }

  /**
   * Destroys all free memory but what waiting commands need, and creates the failed buffers again.
   *
   * @param needed the ids of what commands use that have not been submitted
   * @throws ConvbaseError `device/out-of-memory` if that did not help
   */
  async makeRoom(failed: readonly Allocation[], needed: ReadonlySet<number>): Promise<void> {
    for (const allocation of this.#free) {
      if (needed.has(allocation.id)) continue;
      this.#removeFree(allocation);
      this.#destroy(allocation);
    }
    await this.#allocator.retry(failed);
  }

  #allocateAll(used: readonly GpuBuffer[]): void {
    const { blocks, blockOf } = this.#plans.of(used);
    // The allocations of the last time give the same bind groups.
    const missing = blocks.filter(
      (block) => block.allocation === null || !this.#removeFree(block.allocation),
    );
    for (const block of missing) block.allocation = this.#find(block);
    // In the order of use: where the device has no memory for the last ones, the commands before them can run first.
    for (const block of missing.sort((a, b) => a.first - b.first))
      block.allocation ??= this.#allocate(block.bytes);
    used.forEach((buffer, index) => {
      buffer.allocation = blocks[blockOf[index] ?? -1]?.allocation ?? null;
    });
    for (const { isKept, allocation } of blocks) {
      if (isKept || allocation === null) continue;
      this.#pooledBytes += allocation.capacity;
      this.#recycle(allocation);
    }
  }

  /**
   * A free allocation for a block: of exactly its size where a buffer may be kept for long, else the smallest that is large
   * enough; of several the oldest.
   */
  #find({ bytes, isKept }: Pick<MemoryBlock, 'bytes' | 'isKept'>): Allocation | null {
    let best: Allocation | null = null;
    for (const allocation of this.#free) {
      const { capacity, id } = allocation;
      if (isKept ? capacity !== bytes : capacity < bytes) continue;
      if (best === null || capacity < best.capacity || (capacity === best.capacity && id < best.id)) {
        best = allocation;
      }
    }
    if (best !== null) this.#removeFree(best);
    return best;
  }

  /** An allocation of exactly this size, for a buffer that may be kept for long. */
  #allocateExact(bytes: number): Allocation {
    return this.#find({ bytes, isKept: true }) ?? this.#allocate(bytes);
  }

  /** Removes an allocation from the free ones; false if it is not free. */
  #removeFree(allocation: Allocation): boolean {
    if (!this.#free.delete(allocation)) return false;
    this.#pooledBytes -= allocation.capacity;
    return true;
  }

  #recycle(allocation: Allocation): void {
    allocation.lastUsed = this.#recording;
    this.#free.add(allocation);
  }

  #scheduleDestruction(allocation: Allocation): void {
    this.#removeFree(allocation);
    this.#pendingDestruction.push(allocation);
  }

  /** Destroys the least recently used allocations, but none that this recording uses: the next may be like it. */
  #shrink(): void {
    const idle = [...this.#free].filter(({ lastUsed }) => lastUsed < this.#recording);
    for (const allocation of idle.sort((a, b) => a.lastUsed - b.lastUsed)) {
      if (this.#pooledBytes <= this.#capBytes) return;
      this.#scheduleDestruction(allocation);
    }
  }

  #allocate(capacity: number): Allocation {
    this.#bytes += capacity;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return this.#allocator.allocate(capacity);
  }

  #destroy(allocation: Allocation): void {
    this.#bytes -= allocation.capacity;
    this.#onEvict(allocation.id);
    this.#allocator.destroy(allocation);
  }
}

/** Rounds up to one of sixteen steps between powers of two, so that nearly equal sizes share memory (waste < 1/16). */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes - 1)) - 4));
  return Math.ceil(bytes / step) * step;
}
