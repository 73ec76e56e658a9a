/** A little-endian byte string that grows at its end. */
export class Bytes {
  #data = new Uint8Array(256);
  #view = new DataView(this.#data.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(...values: readonly number[]): this {
    return this.bytes(Uint8Array.from(values));
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: number): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
    return this;
  }

  /** HDF5's undefined address. */
  nowhere(): this {
    return this.u32(0xffffffff).u32(0xffffffff);
  }

  bytes(values: Uint8Array): this {
    const at = this.#room(values.length);
    this.#data.set(values, at);
    return this;
  }

  text(value: string): this {
    return this.bytes(new TextEncoder().encode(value));
  }

  /** What was written so far; a view. */
  done(): Uint8Array {
    return this.#data.subarray(0, this.#length);
  }

  /** Where the next `count` bytes go. Call it first: it may move the data. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#data.length) {
      const larger = new Uint8Array(Math.max(2 * this.#data.length, this.#length));
      larger.set(this.#data);
      this.#data = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
