import { ConvbaseError } from '@convbase/base';
import type { Label } from '../device/label.ts';
import type { Profiler } from '../device/profile.ts';
import type { GpuBuffer } from '../memory/buffer.ts';
import { BindGroupCache, boundVariables, type BoundVariable } from './bind-groups.ts';
import { UNIFORM_SLOT_BYTES, type Pipeline, type PipelineCache } from './pipelines.ts';
import type { Dispatch, Plan } from './plan.ts';
import { packUniforms, shaderInterface } from './shader.ts';

/** Something recorded and not yet handed to the GPU. */
export type Command =
  | {
      readonly kind: 'dispatch';
      readonly plan: Plan;
      readonly dispatch: Dispatch;
      readonly buffers: Record<string, GpuBuffer>;
      readonly label: Label;
    }
  | {
      readonly kind: 'write';
      readonly buffer: GpuBuffer;
      readonly data: Uint8Array;
      readonly byteOffset: number;
    }
  | {
      readonly kind: 'copy';
      readonly source: GpuBuffer;
      readonly target: GpuBuffer | { readonly raw: GPUBuffer };
      readonly bytes: number;
      readonly sourceOffset: number;
      readonly targetOffset: number;
    };

/** The buffers that a command uses, of those that come from the pool. */
export function buffersOf(command: Command): readonly GpuBuffer[] {
  if (command.kind === 'dispatch') return Object.values(command.buffers);
  if (command.kind === 'write') return [command.buffer];
  return 'id' in command.target ? [command.source, command.target] : [command.source];
}

const RING_SLOTS = 4096;

/**
 * Arithmetic after which a command buffer is submitted: a second's work for a slow GPU. Drivers and browsers reset a
 * device that is busy with one command buffer for a few seconds.
 */
const SUBMIT_FLOPS = 1e11;

/** What it takes to run a dispatch, worked out the first time: plans are kept, so most are run again and again. */
interface Prepared {
  readonly pipeline: Pipeline;
  /** As the shader's `struct Params` has them; null where it has none. */
  readonly uniforms: Uint8Array | null;
  readonly bound: readonly BoundVariable[];
}

/**
 * Turns recorded commands into one command buffer: many dispatches in one compute pass, uniforms in one ring
 * buffer with dynamic offsets, bind groups cached by the buffers they name.
 *
 * A queue runs writes and submits in order, so the ring starts over with every submit: the uniforms of the next
 * one are written after the last one has read its own.
 */
export class CommandEncoder {
  readonly #device: GPUDevice;
  readonly #pipelines: PipelineCache;
  readonly #profiler: Profiler | undefined;
  readonly #ring: GPUBuffer;
  readonly #ringData = new Uint8Array(RING_SLOTS * UNIFORM_SLOT_BYTES);
  readonly #groups: BindGroupCache;
  readonly #prepared = new WeakMap<Dispatch, Prepared>();
  #slots = 0;
  #flops = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  /** The pipeline that the open pass has set. */
  #set: Pipeline | undefined;
  /** Command buffers handed to the queue so far. */
  submits = 0;
  /** Dispatches encoded so far. */
  dispatches = 0;

  constructor(device: GPUDevice, pipelines: PipelineCache, profiler: Profiler | undefined) {
    this.#device = device;
    this.#pipelines = pipelines;
    this.#profiler = profiler;
    // GPUBufferUsage.UNIFORM | COPY_DST
    this.#ring = device.createBuffer({
      size: this.#ringData.length,
      usage: 0x40 | 0x8,
      label: 'uniform ring',
    });
    this.#groups = new BindGroupCache(device, this.#ring);
  }

  /** Bind groups made so far. */
  get bindGroups(): number {
    return this.#groups.made;
  }

  /** Encodes and submits. Every pipeline must have been compiled. What an error leaves half encoded is dropped. */
  run(commands: readonly Command[]): void {
    try {
      for (const command of commands) this.#encode(command);
      this.#submit();
    } catch (error) {
      this.#profiler?.abandon();
      this.#startAfresh();
      throw error;
    }
  }

  /** Forgets the bind groups of a buffer that is being destroyed. */
  forget(bufferId: number): void {
    this.#groups.forget(bufferId);
  }

  #encode(command: Command): void {
    if (command.kind === 'dispatch') this.#dispatch(command);
    else if (command.kind === 'copy') this.#copy(command);
    else {
      this.#submit();
      const { buffer, data, byteOffset } = command;
      this.#device.queue.writeBuffer(buffer.raw, byteOffset, data as Uint8Array<ArrayBuffer>);
    }
  }

  #dispatch({ plan, dispatch, buffers, label }: Command & { kind: 'dispatch' }): void {
    const prepared = this.#prepare(dispatch);
    const { pipeline, uniforms } = prepared;
    if (this.#slots === RING_SLOTS || this.#profiler?.full) this.#submit();
    const flops = plan.flops / plan.dispatches.length;
    const group = this.#groups.get(pipeline, dispatch, prepared.bound, buffers);
    const pass = this.#openPass(plan, dispatch, label);
    if (this.#set !== pipeline) pass.setPipeline(pipeline.pipeline);
    this.#set = pipeline;
    if (uniforms === null) pass.setBindGroup(0, group);
    else {
      const offset = this.#slots++ * UNIFORM_SLOT_BYTES;
      this.#ringData.set(uniforms, offset);
      pass.setBindGroup(0, group, [offset]);
    }
    const [x, y, z] = dispatch.grid;
    pass.dispatchWorkgroups(x, y, z);
    this.dispatches += 1;
    if (this.#profiler) this.#closePass();
    this.#flops += flops;
    if (this.#flops >= SUBMIT_FLOPS) this.#submit();
  }

  #prepare(dispatch: Dispatch): Prepared {
    const known = this.#prepared.get(dispatch);
    if (known !== undefined) return known;
    const pipeline = this.#pipelines.ready(dispatch);
    if (!pipeline)
      throw new ConvbaseError('shader/missing', 'the pipeline was not compiled', { where: dispatch.shader });
    let uniforms: Uint8Array | null = null;
    if (pipeline.hasUniforms) {
      uniforms = new Uint8Array(4 * shaderInterface(dispatch.shader).uniforms.length);
      packUniforms(dispatch.shader, dispatch.uniforms, new DataView(uniforms.buffer), 0);
    }
    const bound = boundVariables(pipeline, dispatch);
    const prepared = { pipeline, uniforms, bound };
    this.#prepared.set(dispatch, prepared);
    return prepared;
  }

  #copy(command: Command & { kind: 'copy' }): void {
    this.#closePass();
    this.#encoder ??= this.#device.createCommandEncoder();
    const { source, sourceOffset, target, targetOffset, bytes } = command;
    this.#encoder.copyBufferToBuffer(source.raw, sourceOffset, target.raw, targetOffset, bytes);
  }

  #openPass(plan: Plan, dispatch: Dispatch, label: Label): GPUComputePassEncoder {
    this.#encoder ??= this.#device.createCommandEncoder();
    if (this.#pass) return this.#pass;
    this.#pass = this.#encoder.beginComputePass(
      this.#profiler ? { timestampWrites: this.#profiler.mark(plan, dispatch, label) } : {},
    );
    return this.#pass;
  }

  #closePass(): void {
    this.#pass?.end();
    this.#pass = undefined;
    this.#set = undefined;
  }

  #submit(): void {
    if (!this.#encoder) return;
    this.#closePass();
    if (this.#slots > 0) {
      this.#device.queue.writeBuffer(this.#ring, 0, this.#ringData, 0, this.#slots * UNIFORM_SLOT_BYTES);
    }
    const afterSubmit = this.#profiler?.resolve(this.#encoder);
    this.#device.queue.submit([this.#encoder.finish()]);
    afterSubmit?.();
    this.submits += 1;
    this.#startAfresh();
  }

  #startAfresh(): void {
    this.#encoder = undefined;
    this.#pass = undefined;
    this.#set = undefined;
    this.#slots = 0;
    this.#flops = 0;
  }
}
