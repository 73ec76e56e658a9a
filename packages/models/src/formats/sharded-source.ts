import { checkRange } from './source.ts';
import type { ByteSource } from './source.ts';

/** Several files as one: the bytes of the first, then of the second, and so on. Closing it closes none of them. */
export class ShardedSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #shards: readonly { readonly source: ByteSource; readonly start: number }[];

  constructor(sources: readonly ByteSource[], name: string) {
    let start = 0;
    this.#shards = sources.map((source) => {
      const shard = { source, start };
      start += source.size;
      return shard;
    });
    this.name = name;
    this.size = start;
  }

  bytes(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    const only = this.#shards.find(
      ({ source, start }) => offset >= start && offset + length <= start + source.size,
    );
    if (only !== undefined) return only.source.bytes(offset - only.start, length);
    const joined = new Uint8Array(length);
    this.readInto(joined, offset);
    return joined;
  }

  readInto(target: Uint8Array, offset: number): void {
    checkRange(this, offset, target.byteLength);
    const end = offset + target.byteLength;
    for (const { source, start } of this.#shards) {
      const from = Math.max(offset, start);
      const to = Math.min(end, start + source.size);
      if (from < to) source.readInto(target.subarray(from - offset, to - offset), from - start);
    }
  }

  close(): void {
    // The shards are closed by whoever opened them.
  }
}
