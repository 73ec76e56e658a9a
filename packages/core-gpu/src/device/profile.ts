/** GPU time of all calls of one kernel variant. */
export interface ProfileRow {
  readonly kernel: string;
  readonly variant: string;
  readonly calls: number;
  readonly milliseconds: number;
  readonly flops: number;
}

const QUERIES = 512;

/** Sums GPU timestamps by kernel. One pass for each dispatch; only in profiling mode. */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #rows = new Map<
    string,
    { kernel: string; variant: string; calls: number; ns: number; flops: number }
  >();
  readonly #reads: Promise<void>[] = [];
  #set: GPUQuerySet | undefined;
  #marks: { kernel: string; variant: string; flops: number }[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get full(): boolean {
    return this.#marks.length * 2 + 2 > QUERIES;
  }

  /** Timestamp writes for the pass of one dispatch. */
  mark(kernel: string, variant: string, flops: number): GPUComputePassTimestampWrites {
    this.#set ??= this.#device.createQuerySet({ type: 'timestamp', count: QUERIES });
    const at = this.#marks.length * 2;
    this.#marks.push({ kernel, variant, flops });
    return { querySet: this.#set, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Copies the timestamps out at the end of an encoder; the returned function is called after its submit. */
  resolve(encoder: GPUCommandEncoder): () => void {
    const marks = this.#marks;
    const set = this.#set;
    if (!set || marks.length === 0) return () => undefined;
    this.#marks = [];
    this.#set = undefined;
    const size = marks.length * 16;
    // QUERY_RESOLVE | COPY_SRC, then MAP_READ | COPY_DST
    const resolved = this.#device.createBuffer({ size, usage: 0x200 | 0x4 });
    const staging = this.#device.createBuffer({ size, usage: 0x1 | 0x8 });
    encoder.resolveQuerySet(set, 0, marks.length * 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    return () => {
      const read = staging.mapAsync(0x1).then(() => {
        const times = new BigUint64Array(staging.getMappedRange());
        marks.forEach((mark, i) => {
          this.#add(mark, Number((times[2 * i + 1] ?? 0n) - (times[2 * i] ?? 0n)));
        });
        staging.destroy();
        resolved.destroy();
        set.destroy();
      });
      read.catch(() => undefined); // reported by rows(); a device that is closed while it measures is no error
      this.#reads.push(read);
    };
  }

  /** Forgets the marks of an encoder that is not submitted. */
  abandon(): void {
    this.#marks = [];
  }

  /** Rows of everything submitted, the dearest first. */
  async rows(): Promise<ProfileRow[]> {
    await Promise.all(this.#reads.splice(0));
    return this.soFar();
  }

  /** Rows of what has been read back already. */
  soFar(): ProfileRow[] {
    return [...this.#rows.values()]
      .map(({ kernel, variant, calls, ns, flops }) => ({
        kernel,
        variant,
        calls,
        milliseconds: ns / 1e6,
        flops,
      }))
      .sort((a, b) => b.milliseconds - a.milliseconds);
  }

  #add(mark: { kernel: string; variant: string; flops: number }, ns: number): void {
    const key = `${mark.kernel} ${mark.variant}`;
    const row = this.#rows.get(key) ?? {
      kernel: mark.kernel,
      variant: mark.variant,
      calls: 0,
      ns: 0,
      flops: 0,
    };
    row.calls += 1;
    row.ns += ns;
    row.flops += mark.flops;
    this.#rows.set(key, row);
  }
}

/** The rows as a table for people: time, share of it, calls, speed, kernel. */
export function profileTable(rows: readonly ProfileRow[]): string {
  const total = rows.reduce((sum, row) => sum + row.milliseconds, 0);
  const lines = rows.map(({ kernel, variant, calls, milliseconds, flops }) =>
    [
      milliseconds.toFixed(2).padStart(10),
      `${((100 * milliseconds) / total).toFixed(1)} %`.padStart(8),
      String(calls).padStart(7),
      (flops / milliseconds / 1e6).toFixed(1).padStart(9),
      ` ${kernel}, ${variant}`,
    ].join(''),
  );
  return ['        ms   share  calls  GFLOP/s  kernel', ...lines].join('\n');
}
