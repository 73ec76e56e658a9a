import { ConvbaseError } from '@convbase/base';
import type { GPUDevice } from '../webgpu-types.ts';
import { Allocator, type Backing } from './allocation.ts';
import { GpuBuffer } from './buffer.ts';
import { MemoryPlans, type Slot } from './plans.ts';

/** What the pool holds: live is handed out, pooled waits to be used again. */
export interface MemoryReport {
  /** Of what has been handed out and not given back, whether there is memory behind it yet or not. */
  readonly liveBytes: number;
  readonly liveBuffers: number;
  readonly pooledBytes: number;
  readonly pooledBuffers: number;
  /** The most bytes that all memory together has been, live, pooled and waiting to be destroyed. */
  readonly peakBytes: number;
}

/**
 * Storage buffers whose memory is planned: a buffer is only a size and a name until the commands that use it are flushed.
 * By then it is known which of them use it, first and last, so the buffers of a recording are packed into as little
 * memory as they need (`packing.ts`). What is written to at once, or outlives its recording, gets memory of its own.
 *
 * The memory stays for the next recording. One that is like another before it gets the same plan and the same memory, so
 * it allocates nothing and finds its bind groups again.
 *
 * Where the device has no memory left, free memory is given up and the buffer is made again (`makeRoom`).
 */
export class BufferPool {
  readonly #allocator: Allocator;
  readonly #maxBufferBytes: number;
  readonly #capBytes: number;
  readonly #onEvict: (id: number) => void;
  readonly #trackOwners: boolean;
  readonly #live = new Set<GpuBuffer>();
  readonly #free = new Set<Backing>();
  readonly #plans = new MemoryPlans();
  /** Buffers without memory. */
  #unplaced: GpuBuffer[] = [];
  /** Memory of released buffers that recorded commands still use: free when those have been planned. */
  #returning: Backing[] = [];
  #doomed: Backing[] = [];
  #recording = 0;
  #liveBytes = 0;
  #pooledBytes = 0;
  #bytes = 0;
  #peakBytes = 0;

  constructor(
    device: GPUDevice,
    options: {
      maxBufferBytes: number;
      /** Free memory above which that is destroyed which has not been used for longest. */
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
        { where: label, fix: 'Use a smaller batch or smaller pictures, or an adapter with more memory.' },
      );
    }
    const capacity = Math.min(sizeClass(size), this.#maxBufferBytes);
    const stack = this.#trackOwners ? new Error(label).stack : undefined;
    const buffer = new GpuBuffer(size, capacity, label, { float16, stack });
    this.#live.add(buffer);
    this.#unplaced.push(buffer);
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

  /** Takes a buffer back; recorded commands may still use it. Releasing twice is an error. */
  release(buffer: GpuBuffer): void {
    if (!this.#live.delete(buffer)) {
      throw new ConvbaseError('memory/released', 'the buffer has been released already', {
        where: buffer.label,
      });
    }
    buffer.isLive = false;
    this.#liveBytes -= buffer.capacity;
    const { backing } = buffer;
    if (backing === null) return;
    this.#pooledBytes += backing.capacity;
    if (this.isUsed(buffer)) this.#returning.push(backing);
    else this.#giveBack(backing);
  }

  /**
   * Gives memory to everything that the recorded commands use, and begins a new recording. To be called when the commands
   * are about to be encoded.
   */
  place(): void {
    const used = this.#unplaced.filter((buffer) => this.isUsed(buffer) && buffer.backing === null);
    if (this.#unplaced.length > 0) {
      this.#unplaced = this.#unplaced.filter((buffer) => buffer.isLive && !this.isUsed(buffer));
    }
    if (used.length > 0) this.#placeAll(used);
    for (const backing of this.#returning) this.#giveBack(backing);
    this.#returning = [];
    if (this.#pooledBytes > this.#capBytes) this.#shrink();
    this.#recording += 1;
  }

  /**
   * Writes to a buffer at once, and gives it memory if it has none. False, and nothing is written, where that has to wait: for
   * recorded commands that use it, for those in `waiting` (by id) that have not been submitted, or for memory.
   */
  write(
    buffer: GpuBuffer,
    byteOffset: number,
    data: Uint8Array<ArrayBuffer>,
    waiting: Iterable<ReadonlySet<number>>,
  ): boolean {
    if (this.isUsed(buffer)) return false;
    const backing = (buffer.backing ??= this.#own(buffer.capacity));
    for (const ids of waiting) if (ids.has(backing.id)) return false;
    // Where there may be no memory for it but some to give up, there is a second chance.
    if (backing.state === 'unknown' && this.#pooledBytes >= backing.capacity) return false;
    return this.#allocator.write(backing, byteOffset, data);
  }

  report(): MemoryReport {
    return {
      liveBytes: this.#liveBytes,
      liveBuffers: this.#live.size,
      pooledBytes: this.#pooledBytes,
      pooledBuffers: this.#free.size + this.#returning.length,
      peakBytes: this.#peakBytes,
    };
  }

  /** Buffers made so far. */
  get made(): number {
    return this.#allocator.made;
  }

  /** Every live buffer with the stack that asked for it (only with `trackOwners`). */
  owners(): { label: string; bytes: number; stack: string | undefined }[] {
    return Array.from(this.#live, ({ label, capacity, stack }) => ({ label, bytes: capacity, stack }));
  }

  /** Memory to destroy once the commands recorded so far have been submitted. */
  takeDoomed(): (() => void)[] {
    const doomed = this.#doomed;
    this.#doomed = [];
    return doomed.map((backing) => () => {
      this.#destroy(backing);
    });
  }

  /** Gives all free memory back to the system with the next flush. */
  trim(): void {
    for (const backing of this.#free) this.#doom(backing);
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
   * Destroys all free memory but what waiting commands need, and makes the failed buffers anew.
   *
   * @param needed the ids of what commands use that have not been submitted
   * @throws ConvbaseError `device/out-of-memory` if that did not help
   */
  async makeRoom(failed: readonly Backing[], needed: ReadonlySet<number>): Promise<void> {
    for (const backing of this.#free) {
      if (needed.has(backing.id)) continue;
      this.#take(backing);
      this.#destroy(backing);
    }
    await this.#allocator.retry(failed);
  }

  #placeAll(used: readonly GpuBuffer[]): void {
    const { slots, places } = this.#plans.of(used);
    // What it was before makes the same bind groups again.
    const missing = slots.filter((slot) => slot.backing === null || !this.#take(slot.backing));
    for (const slot of missing) slot.backing = this.#find(slot);
    // The device may have no memory for the last ones: then what comes before them can be done and given up.
    for (const slot of missing.sort((a, b) => a.first - b.first)) slot.backing ??= this.#allocate(slot.bytes);
    used.forEach((buffer, index) => {
      buffer.backing = slots[places[index] ?? -1]?.backing ?? null;
    });
    for (const { isKept, backing } of slots) {
      if (isKept || backing === null) continue;
      this.#pooledBytes += backing.capacity;
      this.#giveBack(backing);
    }
  }

  /**
   * Free memory for a slot: what may be kept for long lies in memory of just its size, everything else in the smallest that
   * is large enough; of several in the oldest.
   */
  #find({ bytes, isKept }: Pick<Slot, 'bytes' | 'isKept'>): Backing | null {
    let best: Backing | null = null;
    for (const backing of this.#free) {
      const { capacity, id } = backing;
      if (isKept ? capacity !== bytes : capacity < bytes) continue;
      if (best === null || capacity < best.capacity || (capacity === best.capacity && id < best.id)) {
        best = backing;
      }
    }
    if (best !== null) this.#take(best);
    return best;
  }

  /** Memory that may be kept for long. */
  #own(bytes: number): Backing {
    return this.#find({ bytes, isKept: true }) ?? this.#allocate(bytes);
  }

  /** Takes memory out of what is free; false if it is not. */
  #take(backing: Backing): boolean {
    if (!this.#free.delete(backing)) return false;
    this.#pooledBytes -= backing.capacity;
    return true;
  }

  #giveBack(backing: Backing): void {
    backing.lastUsed = this.#recording;
    this.#free.add(backing);
  }

  #doom(backing: Backing): void {
    this.#take(backing);
    this.#doomed.push(backing);
  }

  /** Gives up what has not been used for longest, but nothing that this recording uses: the next may be like it. */
  #shrink(): void {
    const idle = [...this.#free].filter(({ lastUsed }) => lastUsed < this.#recording);
    for (const backing of idle.sort((a, b) => a.lastUsed - b.lastUsed)) {
      if (this.#pooledBytes <= this.#capBytes) return;
      this.#doom(backing);
    }
  }

  #allocate(capacity: number): Backing {
    this.#bytes += capacity;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return this.#allocator.allocate(capacity);
  }

  #destroy(backing: Backing): void {
    this.#bytes -= backing.capacity;
    this.#onEvict(backing.id);
    this.#allocator.destroy(backing);
  }
}

/** Rounds up to one of sixteen steps between powers of two, so that nearly equal sizes share memory (waste < 1/16). */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes - 1)) - 4));
  return Math.ceil(bytes / step) * step;
}
