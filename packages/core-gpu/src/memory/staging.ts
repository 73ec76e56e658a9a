import { sizeClass } from './pool.ts';

/** Bytes of idle staging buffers that are kept. */
const KEPT_BYTES = 256 * 1024 ** 2;

/**
 * Buffers through which results come back to the host. A buffer that was read is unmapped and waits for the next
 * read of its size, so that a loop that reads the same sizes makes no buffers.
 */
export class StagingPool {
  readonly #device: GPUDevice;
  readonly #maxBufferBytes: number;
  #idle: GPUBuffer[] = [];
  #idleBytes = 0;
  /** Buffers made so far. */
  made = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#maxBufferBytes = device.limits.maxBufferSize;
  }

  /** A buffer of at least `bytes` bytes that can be copied to and mapped for reading. */
  take(bytes: number, label: string): GPUBuffer {
    const size = Math.min(sizeClass(bytes), this.#maxBufferBytes);
    const at = this.#idle.findIndex((buffer) => buffer.size === size);
    const [found] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (found !== undefined) {
      this.#idleBytes -= size;
      return found;
    }
    this.made += 1;
    // GPUBufferUsage.MAP_READ | COPY_DST
    return this.#device.createBuffer({ size, usage: 0x1 | 0x8, label: `read ${label}` });
  }

  /** Takes a mapped buffer back whose contents have been copied out. */
  recycle(buffer: GPUBuffer): void {
    if (this.#idleBytes + buffer.size > KEPT_BYTES) {
      buffer.destroy();
      return;
    }
    buffer.unmap();
    this.#idle.push(buffer);
    this.#idleBytes += buffer.size;
  }

  /** Destroys what is idle. */
  trim(): void {
    for (const buffer of this.#idle) buffer.destroy();
    this.#idle = [];
    this.#idleBytes = 0;
  }
}

/** What is read through one staging buffer. */
export interface StagingShare {
  readonly bytes: number;
  /** Which ranges, and where in the buffer they come to lie. */
  readonly parts: readonly { readonly index: number; readonly offset: number }[];
}

/** Divides ranges of these lengths, in order, among as few staging buffers of at most `limit` bytes as that takes. */
export function shareStaging(lengths: readonly number[], limit: number): StagingShare[] {
  const shares: { bytes: number; parts: { index: number; offset: number }[] }[] = [];
  lengths.forEach((length, index) => {
    const bytes = Math.ceil(length / 4) * 4;
    const last = shares.at(-1);
    // Mapped ranges begin at multiples of 8.
    const offset = Math.ceil((last?.bytes ?? 0) / 8) * 8;
    if (last === undefined || offset + bytes > limit) {
      shares.push({ bytes, parts: [{ index, offset: 0 }] });
      return;
    }
    last.parts.push({ index, offset });
    last.bytes = offset + bytes;
  });
  return shares;
}
