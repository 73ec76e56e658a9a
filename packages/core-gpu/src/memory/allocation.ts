import { ConvbaseError } from '@convbase/base';
import type { GPUBuffer, GPUDevice, GPUError } from '../webgpu-types.ts';

// GPUBufferUsage.STORAGE | COPY_SRC | COPY_DST: constants, because the global is not there in plain Node.
const STORAGE_USAGE = 0x80 | 0x4 | 0x8;

/** What lies behind a buffer. `raw` is made anew where the device had no memory for it at first. */
export interface Backing {
  raw: GPUBuffer;
  readonly id: number;
  readonly capacity: number;
  /** Whether the device had memory for it; known some time after it was made. */
  state: 'unknown' | 'there' | 'failed';
  /** Whether something was put into it before that was known: then it cannot be made anew. */
  filled: boolean;
  /** The recording that used it last. */
  lastUsed: number;
}

/**
 * Makes buffers, and notices those that the device had no memory for.
 *
 * WebGPU tells of that later, by an error scope: until then commands that use the buffer may be recorded, and they only
 * must not be submitted. So whoever submits asks for `failures` before, makes room, and has them made anew.
 */
export class Allocator {
  readonly #device: GPUDevice;
  readonly #onLoss: (error: ConvbaseError) => void;
  #unknown: Promise<void>[] = [];
  #failed: Backing[] = [];
  #nextId = 1;
  /** Buffers made so far. */
  made = 0;

  /** @param onLoss told of a failed buffer whose contents are lost */
  constructor(device: GPUDevice, onLoss: (error: ConvbaseError) => void) {
    this.#device = device;
    this.#onLoss = onLoss;
  }

  allocate(capacity: number): Backing {
    const [raw, error] = this.#make(capacity);
    const backing: Backing = {
      raw,
      id: this.#nextId++,
      capacity,
      state: 'unknown',
      filled: false,
      lastUsed: 0,
    };
    this.#unknown.push(
      error.then((found) => {
        backing.state = found === null ? 'there' : 'failed';
        if (found === null) return;
        if (backing.filled) this.#onLoss(outOfMemory(capacity, found));
        else this.#failed.push(backing);
      }),
    );
    return backing;
  }

  /** Writes at once; false if there is known to be no memory. If there turns out to be none, the loss is told of. */
  write(backing: Backing, byteOffset: number, data: Uint8Array<ArrayBuffer>): boolean {
    if (backing.state === 'failed') return false;
    const isUnknown = backing.state === 'unknown';
    if (isUnknown) {
      backing.filled = true;
      this.#device.pushErrorScope('validation');
    }
    this.#device.queue.writeBuffer(backing.raw, byteOffset, data);
    // That a buffer without memory cannot be written to is told as the loss of what should be in it.
    if (isUnknown) this.#device.popErrorScope().catch(() => null);
    return true;
  }

  destroy(backing: Backing): void {
    if (backing.state === 'failed') this.#failed = this.#failed.filter((failed) => failed !== backing);
    backing.raw.destroy();
  }

  /** Whether nothing is left to be told by `failures`. */
  get isSettled(): boolean {
    return this.#unknown.length === 0 && this.#failed.length === 0;
  }

  /** Those of the buffers made so far that have no memory and are needed now, each told once. */
  async failures(isNeeded: (id: number) => boolean): Promise<readonly Backing[]> {
    const unknown = this.#unknown;
    this.#unknown = [];
    await Promise.all(unknown);
    const failed = this.#failed;
    this.#failed = failed.filter(({ id }) => !isNeeded(id));
    return failed.filter(({ id }) => isNeeded(id));
  }

  /** Makes buffers anew. @throws ConvbaseError `device/out-of-memory` if there is no memory yet */
  async retry(failed: readonly Backing[]): Promise<void> {
    for (const backing of failed) {
      const [raw, error] = this.#make(backing.capacity);
      const found = await error;
      if (found !== null) throw outOfMemory(backing.capacity, found);
      backing.raw = raw;
      backing.state = 'there';
    }
  }

  #make(capacity: number): [GPUBuffer, Promise<GPUError | null>] {
    this.made += 1;
    this.#device.pushErrorScope('out-of-memory');
    const raw = this.#device.createBuffer({ size: capacity, usage: STORAGE_USAGE });
    // A device that is lost tells nothing here; that it is lost is told elsewhere.
    return [raw, this.#device.popErrorScope().catch(() => null)];
  }
}

/** The error for a device without memory. */
export function outOfMemory(bytes: number | undefined, cause: GPUError): ConvbaseError {
  const wanted = bytes === undefined ? '' : ` for another ${bytes} bytes`;
  return new ConvbaseError('device/out-of-memory', `the GPU has no memory left${wanted}`, {
    fix: 'Use a smaller batch (--batch-size) or smaller pictures (--size).',
    cause,
  });
}
