import { ConvbaseError } from '@convbase/base';
import type { GPUBuffer, GPUDevice, GPUError } from '../webgpu-types.ts';

// GPUBufferUsage.STORAGE | COPY_SRC | COPY_DST: constants, because the global is not there in plain Node.
const STORAGE_USAGE = 0x80 | 0x4 | 0x8;

/** The device memory of a buffer. `raw` is created again where the device had no memory for it at first. */
export interface Allocation {
  raw: GPUBuffer;
  readonly id: number;
  readonly capacity: number;
  /** Whether the device had memory for it; known some time after it was created. */
  state: 'unknown' | 'there' | 'failed';
  /** Whether something was written to it before that was known: then creating it again would lose that. */
  filled: boolean;
  /** The recording that used it last. */
  lastUsed: number;
}

/**
 * Creates buffers, and finds those that the device had no memory for.
 *
 * WebGPU reports that later, by an error scope. Until then, commands that use the buffer may be recorded, but they must
 * not be submitted. So whoever submits asks for `failures` first, frees memory, and calls `retry`.
 */
export class Allocator {
  readonly #device: GPUDevice;
  readonly #onLoss: (error: ConvbaseError) => void;
  #unknown: Promise<void>[] = [];
  #failed: Allocation[] = [];
  #nextId = 1;
  /** Buffers created so far. */
  made = 0;

  /** @param onLoss called for a failed buffer whose contents are lost */
  constructor(device: GPUDevice, onLoss: (error: ConvbaseError) => void) {
    this.#device = device;
    this.#onLoss = onLoss;
  }

  allocate(capacity: number): Allocation {
    const [raw, error] = this.#make(capacity);
    const allocation: Allocation = {
      raw,
      id: this.#nextId++,
      capacity,
      state: 'unknown',
      filled: false,
      lastUsed: 0,
    };
    this.#unknown.push(
      error.then((found) => {
        allocation.state = found === null ? 'there' : 'failed';
        if (found === null) return;
        if (allocation.filled) this.#onLoss(outOfMemory(capacity, found));
        else this.#failed.push(allocation);
      }),
    );
    return allocation;
  }

  /** Writes at once; false where it is known to have no memory. Where that is found out later, `onLoss` is called. */
  write(allocation: Allocation, byteOffset: number, data: Uint8Array<ArrayBuffer>): boolean {
    if (allocation.state === 'failed') return false;
    const isUnknown = allocation.state === 'unknown';
    if (isUnknown) {
      allocation.filled = true;
      this.#device.pushErrorScope('validation');
    }
    this.#device.queue.writeBuffer(allocation.raw, byteOffset, data);
    // A write to a buffer without memory fails too; `onLoss` reports what was lost by it.
    if (isUnknown) this.#device.popErrorScope().catch(() => null);
    return true;
  }

  destroy(allocation: Allocation): void {
    if (allocation.state === 'failed') this.#failed = this.#failed.filter((failed) => failed !== allocation);
    allocation.raw.destroy();
  }

  /** Whether `failures` has nothing left to report. */
  get isSettled(): boolean {
    return this.#unknown.length === 0 && this.#failed.length === 0;
  }

  /** The buffers created so far that have no memory and are needed now, each reported once. */
  async failures(isNeeded: (id: number) => boolean): Promise<readonly Allocation[]> {
    const unknown = this.#unknown;
    this.#unknown = [];
    await Promise.all(unknown);
    const failed = this.#failed;
    this.#failed = failed.filter(({ id }) => !isNeeded(id));
    return failed.filter(({ id }) => isNeeded(id));
  }

  /** Creates buffers again. @throws ConvbaseError `device/out-of-memory` if there is no memory yet */
  async retry(failed: readonly Allocation[]): Promise<void> {
    for (const allocation of failed) {
      const [raw, error] = this.#make(allocation.capacity);
      const found = await error;
      if (found !== null) throw outOfMemory(allocation.capacity, found);
      allocation.raw = raw;
      allocation.state = 'there';
    }
  }

  #make(capacity: number): [GPUBuffer, Promise<GPUError | null>] {
    this.made += 1;
    this.#device.pushErrorScope('out-of-memory');
    const raw = this.#device.createBuffer({ size: capacity, usage: STORAGE_USAGE });
    // A lost device reports nothing here; its loss is reported elsewhere.
    return [raw, this.#device.popErrorScope().catch(() => null)];
  }
}

/** The error for a device without memory. */
export function outOfMemory(bytes: number | undefined, cause: GPUError): ConvbaseError {
  const wanted = bytes === undefined ? '' : ` for another ${bytes} bytes`;
  return new ConvbaseError('device/out-of-memory', `the GPU has no memory left${wanted}`, {
    fix: 'Use a smaller batch (--batch-size) or smaller images (--size).',
    cause,
  });
}
