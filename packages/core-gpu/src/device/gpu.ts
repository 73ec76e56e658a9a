import { awaitSoftware, hold } from '#platform';
import { ConvbaseError, visible } from '@convbase/base';
import { buffersOf, CommandEncoder, type Command } from '../commands/encoder.ts';
import { PipelineCache, pipelineKey } from '../commands/pipelines.ts';
import type { Dispatch, KernelTarget, Plan } from '../commands/plan.ts';
import { withFloat16 } from '../commands/float16.ts';
import { outOfMemory } from '../memory/allocation.ts';
import { GpuBuffer } from '../memory/buffer.ts';
import { BufferPool, type MemoryReport } from '../memory/pool.ts';
import { shareStaging, StagingPool } from '../memory/staging.ts';
import type { GPUDevice, GPUSupportedLimits } from '../webgpu-types.ts';
import type { AdapterDescription } from './adapter.ts';
import { noLayer, type Label, type Phase } from './label.ts';
import { Profiler } from './profile.ts';
import { profileTable, type ProfileEvent, type ProfileRow } from './profile-rows.ts';

/** Free buffers kept for reuse, in bytes. */
const POOL_CAP_BYTES = 2 * 1024 ** 3;

/** What a device has made and done since it was opened. */
export interface Counters {
  /** Pipelines compiled. */
  readonly pipelines: number;
  /** Command buffers handed to the queue. */
  readonly submits: number;
  /** Buffers created, those through which results are read included. */
  readonly buffers: number;
  /** Bind groups created. */
  readonly bindGroups: number;
  /** Kernels started. */
  readonly dispatches: number;
}

/**
 * One opened WebGPU device: memory, recorded commands, compiled pipelines.
 *
 * `run`, `write` and `copy` record (a `write` that nothing recorded has to wait for goes out at once); `flush` compiles
 * what is missing, encodes everything in the order in which it was recorded and submits. `read` flushes by itself. Errors of the device (validation, out of memory,
 * loss) surface as ConvbaseError at the next `flush` or `read`.
 */
export class Gpu {
  readonly adapter: AdapterDescription;
  readonly target: KernelTarget;
  /** Features of the device that are in use. */
  readonly features: ReadonlySet<string>;
  readonly limits: GPUSupportedLimits;
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #staging: StagingPool;
  readonly #pipelines: PipelineCache;
  readonly #encoder: CommandEncoder;
  readonly #profiler: Profiler | undefined;
  readonly #debug: number;
  readonly #letGo: () => void;
  readonly #nothing: GpuBuffer;
  #commands: Command[] = [];
  /** Pipelines that the recorded commands need and that are being compiled. */
  #missing: Promise<unknown>[] = [];
  /** What the commands of each flush use that has not been submitted yet, by id. */
  readonly #pending = new Set<ReadonlySet<number>>();
  #tail: Promise<void> = Promise.resolve();
  #failure: ConvbaseError | undefined;
  #label: Label = noLayer;
  #seePlan: ((plan: Plan, label: Label) => void) | undefined;
  /** Takes no more commands. */
  #closed = false;
  #destroyed = false;
  readonly #onError = (event: GPUUncapturedErrorEvent): void => {
    this.#fail(deviceError(event.error));
  };

  constructor(options: {
    device: GPUDevice;
    adapter: AdapterDescription;
    target: KernelTarget;
    debug: number;
    profile: boolean | 'events';
  }) {
    const { device } = options;
    this.#device = device;
    this.adapter = options.adapter;
    this.target = options.target;
    this.features = new Set(device.features);
    this.limits = device.limits;
    this.#debug = options.debug;
    this.#pipelines = new PipelineCache(device);
    const profile = options.profile !== false && device.features.has('timestamp-query');
    this.#profiler = profile ? new Profiler(device, options.profile === 'events') : undefined;
    this.#encoder = new CommandEncoder(device, this.#pipelines, this.#profiler);
    this.#staging = new StagingPool(device);
    this.#pool = new BufferPool(device, {
      maxBufferBytes: device.limits.maxBufferSize,
      capBytes: POOL_CAP_BYTES,
      trackOwners: options.debug >= 2,
      onEvict: (id) => {
        this.#encoder.forget(id);
      },
      onLoss: (error) => {
        this.#fail(error);
      },
    });
    device.addEventListener('uncapturederror', this.#onError);
    void device.lost.then((info) => {
      if (this.#closed) return;
      this.#fail(
        new ConvbaseError(
          'device/lost',
          `the GPU device was lost: ${info.message || info.reason}`.split('\n'),
          {
            where: this.adapter.name,
            fix: 'Another program may have reset the GPU, or a kernel ran too long. Try again with a smaller batch.',
          },
        ),
      );
    });
    // Stands in for optional bindings; not counted as live memory.
    const raw = device.createBuffer({ size: 256, usage: 0x80 | 0x4 | 0x8, label: 'nothing' });
    const allocation = { raw, id: 0, capacity: 256, state: 'there', filled: false, lastUsed: 0 } as const;
    this.#nothing = new GpuBuffer(256, 256, 'nothing', { allocation });
    this.#letGo = hold(this);
  }

  /**
   * A storage buffer of `bytes` bytes with undefined contents; `label` names its owner in errors. One for `float16`
   * numbers makes every plan that it is given to read or write them there: `precision/unsupported` without the feature
   * `shader-f16`.
   */
  createBuffer(bytes: number, label: string, { float16 = false }: { float16?: boolean } = {}): GpuBuffer {
    this.#check();
    if (float16) this.requireFloat16();
    return this.#pool.create(bytes, label, { float16 });
  }

  /**
   * Throws unless shaders of this device can have float16 numbers: `precision/unsupported`, for whoever wants to know
   * before there is work to be done.
   */
  requireFloat16(): void {
    if (this.features.has('shader-f16')) return;
    throw new ConvbaseError('precision/unsupported', 'the adapter has no float16 numbers (shader-f16)', {
      where: this.adapter.name,
      fix: 'Compute in float32 (--precision float32), or pick another adapter with CONVBASE_ADAPTER or --adapter.',
    });
  }

  /**
   * A buffer with these contents, padded to 4 bytes; they go to the GPU at once. Its memory is none that a recorded
   * command uses, so that an upload in the midst of a step does not cut its command buffer in two.
   */
  createFilled(data: ArrayBufferView, label: string): GpuBuffer {
    this.#check();
    const buffer = this.#pool.create(data.byteLength, label);
    if (data.byteLength > 0) this.write(buffer, data);
    return buffer;
  }

  /** Gives a buffer back, right after recording its last use if you like. */
  releaseBuffer(buffer: GpuBuffer): void {
    if (!this.#closed) this.#pool.release(buffer);
  }

  /**
   * Copies host data into a buffer, in order with everything recorded. The data is taken at once; lengths are padded
   * to 4 bytes. A buffer that no waiting command uses (a new weight) is written straight away, without another copy.
   */
  write(buffer: GpuBuffer, data: ArrayBufferView, byteOffset = 0): void {
    this.#check();
    if (byteOffset % 4 !== 0 || byteOffset + data.byteLength > buffer.capacity) {
      throw new ConvbaseError(
        'memory/range',
        `${String(data.byteLength)} bytes at ${String(byteOffset)} do not fit into ${String(buffer.size)} bytes`,
        { where: buffer.label },
      );
    }
    let bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    const isWhole = bytes.length % 4 === 0;
    if (!isWhole) bytes = padded(bytes);
    if (this.#pool.write(buffer, byteOffset, bytes, this.#pending)) return;
    this.#record({ kind: 'write', buffer, data: isWhole ? bytes.slice() : bytes, byteOffset });
  }

  /** Records a copy between buffers; offsets and length in bytes, multiples of 4. */
  copy(source: GpuBuffer, target: GpuBuffer, bytes: number, sourceOffset = 0, targetOffset = 0): void {
    this.#check();
    this.#record({ kind: 'copy', source, target, bytes, sourceOffset, targetOffset });
  }

  /**
   * Records a kernel. `buffers` maps the plan's buffer names to buffers; `null` leaves an optional one out. Where some of
   * them hold float16 numbers, the plan is specialised for these (`withFloat16`).
   * Scratch buffers of the plan come from the pool and go back to it.
   */
  run(float32Plan: Plan, buffers: Readonly<Record<string, GpuBuffer | null>>): void {
    this.#check();
    const label = this.#label;
    const named: Record<string, GpuBuffer> = {};
    let hasFloat16 = false;
    for (const name of Object.keys(buffers)) {
      const buffer = buffers[name] ?? this.#nothing;
      named[name] = buffer;
      hasFloat16 ||= buffer.float16;
    }
    const plan = hasFloat16 ? withFloat16(float32Plan, named) : float32Plan;
    this.#seePlan?.(plan, label);
    const scratch: GpuBuffer[] = [];
    try {
      for (const [name, bytes] of Object.entries(plan.temporaries)) {
        const buffer = this.#pool.create(bytes, `${plan.kernel} ${name}`);
        named[name] = buffer;
        scratch.push(buffer);
      }
      const first = this.#commands.length;
      for (const dispatch of plan.dispatches) {
        // An error is reported by the flush that needs the pipeline.
        if (!this.#pipelines.ready(dispatch)) this.#missing.push(this.#pipelines.compile(dispatch));
        this.#commands.push({ kind: 'dispatch', plan, dispatch, buffers: named, label });
      }
      const last = this.#commands.length - 1;
      if (last < first) return;
      for (const buffer of Object.values(named)) this.#pool.use(buffer, first, last);
    } finally {
      for (const buffer of scratch) this.#pool.release(buffer);
    }
  }

  /** Says for which layer, and in which phase of a step, `record` records its kernels; the innermost label counts. */
  label<Result>(layer: string, record: () => Result, phase: Phase = 'forward'): Result {
    const outer = this.#label;
    this.#label = { layer, phase };
    try {
      return record();
    } finally {
      this.#label = outer;
    }
  }

  /** The layer and phase for which kernels are being recorded right now. */
  get currentLabel(): Label {
    return this.#label;
  }

  /** Shows every plan to `see` as it is recorded, until the returned function is called. One watcher at a time. */
  watchPlans(see: (plan: Plan, label: Label) => void): () => void {
    this.#seePlan = see;
    return () => {
      this.#seePlan = undefined;
    };
  }

  /** Compiles the pipelines of plans ahead of their first use, in parallel. */
  async prepare(plans: readonly Plan[], onProgress?: (done: number, total: number) => void): Promise<void> {
    this.#check();
    const missing = new Map<string, Dispatch>();
    for (const dispatch of plans.flatMap((plan) => plan.dispatches)) {
      if (!this.#pipelines.ready(dispatch)) missing.set(pipelineKey(dispatch), dispatch);
    }
    let done = 0;
    const compiled = [...missing.values()].map(async (dispatch) => {
      await this.#pipelines.compile(dispatch);
      done += 1;
      onProgress?.(done, missing.size);
    });
    await this.#patiently(Promise.all(compiled));
  }

  /**
   * Encodes and submits everything recorded. Resolves when it has been handed to the GPU, not when it is done. Where
   * nothing has to be waited for (no pipeline being compiled, no buffer that may have no memory, no flush before it),
   * it has been handed over when this returns.
   */
  flush(): Promise<void> {
    const commands = this.#commands;
    this.#commands = [];
    const missing = this.#missing;
    this.#missing = [];
    this.#pool.allocateUsed();
    const pendingDestruction = this.#pool.takePendingDestruction();
    if (missing.length === 0 && this.#pending.size === 0 && this.#pool.isSettled && this.#debug < 3) {
      return this.#submitNow(commands, pendingDestruction);
    }
    const used = idsOf(commands);
    this.#pending.add(used);
    const flushed = this.#tail
      .then(() => this.#submit(commands, missing, used))
      .finally(() => {
        this.#pending.delete(used);
        for (const destroy of pendingDestruction) destroy();
      });
    // The next flush waits for this one whether it worked or not.
    this.#tail = flushed.catch(() => undefined);
    return flushed;
  }

  /** Flushes, then copies `bytes` bytes (multiple of 4) of a buffer to the host. */
  async read(buffer: GpuBuffer, bytes = buffer.size, byteOffset = 0): Promise<ArrayBuffer> {
    const [data] = await this.readAll([{ buffer, bytes, byteOffset }]);
    return data ?? new ArrayBuffer(0);
  }

  /**
   * Flushes once, then copies ranges of several buffers to the host. The buffers may be given back as soon as this
   * has been called: the copies are recorded by then.
   */
  async readAll(
    ranges: readonly {
      readonly buffer: GpuBuffer;
      readonly bytes: number;
      readonly byteOffset?: number;
    }[],
  ): Promise<ArrayBuffer[]> {
    this.#check();
    const label = ranges.map(({ buffer }) => buffer.label).join(', ');
    const lengths = ranges.map(({ bytes }) => bytes);
    const reads = shareStaging(lengths, this.limits.maxBufferSize).map(({ bytes: end, parts }) => {
      const staging = this.#staging.take(end, label);
      const target = { raw: staging };
      const taken = parts.flatMap(({ index, offset }) => {
        const range = ranges[index];
        return range === undefined ? [] : [{ ...range, offset }];
      });
      for (const { buffer: source, bytes, byteOffset: sourceOffset = 0, offset } of taken) {
        this.#record({ kind: 'copy', source, target, bytes, sourceOffset, targetOffset: offset });
      }
      return { staging, end, taken };
    });
    let results: ArrayBuffer[];
    try {
      await this.flush();
      const mapped = reads.map(({ staging, end }) => staging.mapAsync(0x1, 0, end));
      await this.#done(Promise.all(mapped), 'memory/read', label);
      results = reads.flatMap(({ staging, end, taken }) => {
        const range = staging.getMappedRange(0, end);
        return taken.map(({ bytes, offset }) => range.slice(offset, offset + bytes));
      });
    } catch (error) {
      for (const { staging } of reads) staging.destroy();
      throw error;
    }
    for (const { staging } of reads) this.#staging.recycle(staging);
    return results;
  }

  /** Waits until the GPU has done everything that was flushed. */
  async idle(): Promise<void> {
    await this.flush();
    await this.#done(this.#device.queue.onSubmittedWorkDone(), 'device/work', this.adapter.name);
  }

  /** Bytes and buffers in use and waiting for reuse. */
  memory(): MemoryReport {
    return this.#pool.report();
  }

  /** Who holds the live buffers; stacks only at debug level 2. */
  owners(): { label: string; bytes: number; stack: string | undefined }[] {
    return this.#pool.owners();
  }

  /** Gives pooled buffers back to the system. */
  trim(): void {
    this.#pool.trim();
    this.#staging.trim();
  }

  /** What has been made and done so far; a step like the one before it adds a submit, and nothing else. */
  counters(): Counters {
    return {
      pipelines: this.#pipelines.size,
      submits: this.#encoder.submits,
      buffers: this.#pool.made + this.#staging.made,
      bindGroups: this.#encoder.bindGroups,
      dispatches: this.#encoder.dispatches,
    };
  }

  /** GPU time by kernel since the device was opened; empty unless opened with `profile`. */
  async profile(): Promise<ProfileRow[]> {
    await this.idle();
    return (await this.#profiler?.rows()) ?? [];
  }

  /** Every dispatch since the last call, in order; only with `profile: 'events'`. */
  async takeProfileEvents(): Promise<ProfileEvent[]> {
    await this.idle();
    return (await this.#profiler?.takeEvents()) ?? [];
  }

  /**
   * Ends the device as soon as it is done with what it was given; takes no more commands from now on. What waits for a
   * result of it fails with `device/destroyed`.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#commands = [];
    // A device that is lost finishes nothing, and has nothing that would have to be waited for.
    const work = [this.#pipelines.settled(), this.#device.queue.onSubmittedWorkDone()];
    await this.#patiently(Promise.allSettled(work));
    this.destroy();
  }

  /**
   * Ends the device at once. Everything on it is gone. In Node this returns only when it is done with what it was given,
   * a minute perhaps of a software adapter; `close` does not hold up the program.
   */
  destroy(): void {
    if (this.#destroyed) return;
    const measured = this.#profiler?.soFar() ?? [];
    if (this.#debug >= 2 && measured.length > 0) console.error(visible(profileTable(measured)));
    this.#closed = true;
    this.#destroyed = true;
    this.#commands = [];
    // Dawn holds its listeners, and this one holds the device: neither would ever be collected, nor its threads end.
    this.#device.removeEventListener('uncapturederror', this.#onError);
    this.#device.destroy();
    this.#letGo();
  }

  #record(command: Command): void {
    const time = this.#commands.length;
    for (const buffer of buffersOf(command)) this.#pool.use(buffer, time, time);
    this.#commands.push(command);
  }

  /** Waits for the device; what went wrong with it goes before the words of the promise that failed for it. */
  async #done(work: Promise<unknown>, code: string, where: string): Promise<void> {
    try {
      await this.#patiently(work);
    } catch (cause) {
      // The news of a lost device may come just behind.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#check();
      throw new ConvbaseError(code, 'the device did not finish', { where, cause });
    }
    this.#check();
  }

  /** Waits; on a software adapter without taking from it the processor that it works on. */
  #patiently<T>(work: Promise<T>): Promise<T> {
    return this.target.kind === 'software' ? awaitSoftware(work) : work;
  }

  /** A promise, so that errors come the same way as from a flush that waits. */
  async #submitNow(commands: readonly Command[], pendingDestruction: readonly (() => void)[]): Promise<void> {
    try {
      this.#check();
      this.#encoder.run(commands);
    } finally {
      for (const destroy of pendingDestruction) destroy();
    }
  }

  async #submit(
    recorded: readonly Command[],
    missing: readonly Promise<unknown>[],
    used: ReadonlySet<number>,
  ): Promise<void> {
    this.#check();
    try {
      const compiled = Promise.all(missing);
      await (missing.length === 0 ? compiled : this.#patiently(compiled));
    } finally {
      // A device that is lost or closed compiles nothing: say that instead.
      this.#check();
    }
    const commands = await this.#makeRoom(recorded, used);
    if (this.#debug >= 3) {
      for (const command of commands) await this.#runAlone(command);
    } else this.#encoder.run(commands);
  }

  /**
   * Where the device had no memory for a buffer: submits what was recorded before its first use, so that free buffers can
   * be destroyed, and has it made anew. Returns what is left to do.
   */
  async #makeRoom(commands: readonly Command[], used: ReadonlySet<number>): Promise<readonly Command[]> {
    const failed = await this.#pool.failures((id) => used.has(id));
    this.#check();
    if (failed.length === 0) return commands;
    const without = new Set(failed.map(({ id }) => id));
    const first = commands.findIndex((command) => buffersOf(command).some(({ id }) => without.has(id)));
    const left = commands.slice(first);
    this.#encoder.run(commands.slice(0, first));
    await this.#device.queue.onSubmittedWorkDone();
    const needed = idsOf(left);
    for (const waiting of this.#pending) {
      if (waiting !== used) for (const id of waiting) needed.add(id);
    }
    try {
      await this.#pool.makeRoom(failed, needed);
    } catch (error) {
      // Commands that use the buffer may have been recorded since, so nothing more can be done on this device.
      if (error instanceof ConvbaseError) this.#fail(error);
      throw error;
    }
    return left;
  }

  /** Debug level 3: each command by itself, so that an error names the kernel that made it. */
  async #runAlone(command: Command): Promise<void> {
    this.#device.pushErrorScope('validation');
    let popped: Promise<GPUError | null>;
    try {
      this.#encoder.run([command]);
    } finally {
      popped = this.#device.popErrorScope();
    }
    const error = await popped;
    if (!error) return;
    const where =
      command.kind === 'dispatch' ? `${command.plan.kernel} ${command.plan.variant}` : command.kind;
    throw new ConvbaseError('device/validation', error.message.split('\n'), { where });
  }

  #fail(error: ConvbaseError): void {
    this.#failure ??= error;
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closed)
      throw new ConvbaseError('device/destroyed', 'the device has been closed', { where: this.adapter.name });
  }
}

/** A copy with zeros behind it up to a whole number of words. */
function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  copy.set(bytes);
  return copy;
}

/** The memory that commands use, by id. */
function idsOf(commands: readonly Command[]): Set<number> {
  return new Set(commands.flatMap(buffersOf).map(({ id }) => id));
}

function deviceError(error: GPUError): ConvbaseError {
  if (
    /out of memory|out_of_device_memory/i.test(error.message) ||
    error.constructor.name === 'GPUOutOfMemoryError'
  ) {
    return outOfMemory(undefined, error);
  }
  return new ConvbaseError('device/validation', error.message.split('\n'), {
    fix: 'This is a mistake in convbase, not yours. CONVBASE_DEBUG=3 names the kernel.',
    cause: error,
  });
}
