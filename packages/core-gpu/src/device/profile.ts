import type { Dispatch, Plan } from '../commands/plan.ts';
import type { Label } from './label.ts';
import type { ProfileEvent, ProfileRow } from './profile-rows.ts';

const QUERIES = 512;

type Mark = Omit<ProfileEvent, 'start' | 'nanoseconds'>;

/** Sums GPU timestamps by kernel, and keeps every one if wanted. One pass for each dispatch; only in profiling mode. */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #keepEvents: boolean;
  readonly #rows = new Map<
    string,
    { kernel: string; variant: string; calls: number; ns: number; flops: number }
  >();
  readonly #reads: Promise<void>[] = [];
  #events: ProfileEvent[] = [];
  #first: bigint | undefined;
  #set: GPUQuerySet | undefined;
  #marks: Mark[] = [];

  constructor(device: GPUDevice, keepEvents: boolean) {
    this.#device = device;
    this.#keepEvents = keepEvents;
  }

  get full(): boolean {
    return this.#marks.length * 2 + 2 > QUERIES;
  }

  /** Timestamp writes for the pass of one dispatch. */
  mark(plan: Plan, { shader }: Dispatch, { layer, phase }: Label): GPUComputePassTimestampWrites {
    this.#set ??= this.#device.createQuerySet({ type: 'timestamp', count: QUERIES });
    const at = this.#marks.length * 2;
    const { kernel, variant } = plan;
    const share = 1 / plan.dispatches.length;
    const [flops, bytes] = [plan.flops * share, plan.bytes * share];
    this.#marks.push({ kernel, variant, shader, layer, phase, flops, bytes });
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
          this.#add(mark, times[2 * i] ?? 0n, times[2 * i + 1] ?? 0n);
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

  /** Rows of everything submitted, the most expensive first. */
  async rows(): Promise<ProfileRow[]> {
    await Promise.all(this.#reads.splice(0));
    return this.soFar();
  }

  /** The events since the last call, in the order of their submits. */
  async takeEvents(): Promise<ProfileEvent[]> {
    await Promise.all(this.#reads.splice(0));
    return this.#events.splice(0);
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

  #add(mark: Mark, begin: bigint, end: bigint): void {
    // A driver may give an end before the beginning where its clock is reset in between.
    const ns = Math.max(0, Number(end - begin));
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
    if (!this.#keepEvents) return;
    this.#first ??= begin;
    this.#events.push({ ...mark, start: Number(begin - this.#first), nanoseconds: ns });
  }
}
