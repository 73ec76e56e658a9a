import { sizeClass } from './pool.ts';

/** Bytes of idle staging buffers that are kept. */
const KEPT_BYTES = 256 * 1024 ** 2;

/**
 * Buffers through which results come back to the host. A buffer that was read is unmapped and waits for the next
 * read of its size, so that a loop that reads the same sizes makes no buffers.
 */
export class StagingPool {
  readonly #device: GPUDevice;
  #idle: GPUBuffer[] = [];
  #idleBytes = 0;
  #bytes = 0;
  /** Buffers made so far. */
  made = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Bytes of all staging buffers there are. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A buffer of at least `bytes` bytes that can be copied to and mapped for reading. */
  take(bytes: number, label: string): GPUBuffer {
    const size = sizeClass(bytes);
    const at = this.#idle.findIndex((buffer) => buffer.size === size);
    const [found] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (found !== undefined) {
      this.#idleBytes -= size;
      return found;
    }
    this.made += 1;
    this.#bytes += size;
    // GPUBufferUsage.MAP_READ | COPY_DST
    return this.#device.createBuffer({ size, usage: 0x1 | 0x8, label: `read ${label}` });
  }

  /** Takes a mapped buffer back whose contents have been copied out. */
  giveBack(buffer: GPUBuffer): void {
    if (this.#idleBytes + buffer.size > KEPT_BYTES) {
      this.drop(buffer);
      return;
    }
    buffer.unmap();
    this.#idle.push(buffer);
    this.#idleBytes += buffer.size;
  }

  /** Destroys a buffer whose read failed, or of which there are enough. */
  drop(buffer: GPUBuffer): void {
    this.#bytes -= buffer.size;
    buffer.destroy();
  }

  /** Destroys what is idle. */
  trim(): void {
    for (const buffer of this.#idle) this.drop(buffer);
    this.#idle = [];
    this.#idleBytes = 0;
  }
}
