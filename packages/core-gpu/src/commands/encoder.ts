import { ConvbaseError } from '@convbase/base';
import type { Label } from '../device/label.ts';
import type { Profiler } from '../device/profile.ts';
import type { GpuBuffer } from '../memory/pool.ts';
import { UNIFORM_SLOT_BYTES, type Pipeline, type PipelineCache } from './pipelines.ts';
import type { Dispatch, Plan } from './plan.ts';
import { packUniforms } from './shader.ts';

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
const MAX_BIND_GROUPS = 20_000;

/**
 * Arithmetic after which a command buffer is submitted: a second's work for a slow GPU. Drivers and browsers take a
 * device away that is busy with one command buffer for a few seconds.
 */
const SUBMIT_FLOPS = 1e11;

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
  readonly #ringView = new DataView(this.#ringData.buffer);
  readonly #bindGroups = new Map<string, { readonly group: GPUBindGroup; readonly bufferIds: number[] }>();
  readonly #groupsOfBuffer = new Map<number, Set<string>>();
  #slots = 0;
  #flops = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  /** Command buffers handed to the queue so far. */
  submits = 0;

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
    for (const key of this.#groupsOfBuffer.get(bufferId) ?? []) {
      for (const id of this.#bindGroups.get(key)?.bufferIds ?? []) this.#groupsOfBuffer.get(id)?.delete(key);
      this.#bindGroups.delete(key);
    }
    this.#groupsOfBuffer.delete(bufferId);
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
    const pipeline = this.#pipelines.ready(dispatch);
    if (!pipeline)
      throw new ConvbaseError('shader/missing', 'the pipeline was not compiled', { where: dispatch.shader });
    if (this.#slots === RING_SLOTS || this.#profiler?.full) this.#submit();
    const flops = plan.flops / plan.dispatches.length;
    const pass = this.#openPass(plan, dispatch, label);
    pass.setPipeline(pipeline.pipeline);
    const group = this.#bindGroup(pipeline, dispatch, buffers);
    if (pipeline.hasUniforms) {
      const offset = this.#slots++ * UNIFORM_SLOT_BYTES;
      packUniforms(dispatch.shader, dispatch.uniforms, this.#ringView, offset);
      pass.setBindGroup(0, group, [offset]);
    } else pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...dispatch.grid);
    if (this.#profiler) this.#closePass();
    this.#flops += flops;
    if (this.#flops >= SUBMIT_FLOPS) this.#submit();
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
    this.#slots = 0;
    this.#flops = 0;
  }

  #bindGroup(pipeline: Pipeline, dispatch: Dispatch, buffers: Record<string, GpuBuffer>): GPUBindGroup {
    let key = String(pipeline.id);
    const bound = pipeline.storage.map((variable) => {
      const binding = dispatch.bindings[variable.name];
      if (binding === undefined) {
        throw new ConvbaseError('shader/bindings', `nothing is bound to '${variable.name}'`, {
          where: dispatch.shader,
        });
      }
      const name = typeof binding === 'string' ? binding : binding.buffer;
      const buffer = buffers[name];
      if (!buffer) {
        throw new ConvbaseError('shader/bindings', `no buffer is called '${name}'`, {
          where: dispatch.shader,
        });
      }
      const offset = typeof binding === 'string' ? 0 : binding.offset;
      const size = typeof binding === 'string' ? buffer.size : Math.max(16, Math.ceil(binding.size / 4) * 4);
      key += `,${String(buffer.id)}:${String(offset)}:${String(size)}`;
      return { variable, buffer, offset, size };
    });
    if (Object.keys(dispatch.bindings).length !== bound.length) {
      const given = Object.keys(dispatch.bindings).join();
      const wanted = pipeline.storage.map(({ name }) => name).join();
      throw new ConvbaseError('shader/bindings', `bindings [${given}] given, [${wanted}] wanted`, {
        where: dispatch.shader,
      });
    }
    const cached = this.#bindGroups.get(key);
    if (cached) return cached.group;

    const entries: GPUBindGroupEntry[] = bound.map(({ variable, buffer, offset, size }) => ({
      binding: variable.binding,
      resource: { buffer: buffer.raw, offset, size: Math.min(size, buffer.capacity - offset) },
    }));
    if (pipeline.hasUniforms) {
      entries.push({ binding: 0, resource: { buffer: this.#ring, size: UNIFORM_SLOT_BYTES } });
    }
    const group = this.#device.createBindGroup({ layout: pipeline.layout, entries });
    if (this.#bindGroups.size >= MAX_BIND_GROUPS) {
      this.#bindGroups.clear();
      this.#groupsOfBuffer.clear();
    }
    this.#bindGroups.set(key, { group, bufferIds: bound.map(({ buffer }) => buffer.id) });
    for (const { buffer } of bound) {
      const keys = this.#groupsOfBuffer.get(buffer.id);
      if (keys) keys.add(key);
      else this.#groupsOfBuffer.set(buffer.id, new Set([key]));
    }
    return group;
  }
}
