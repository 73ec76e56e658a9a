import { ConvbaseError } from '@convbase/base';
import type { GpuBuffer } from '../memory/buffer.ts';
import { UNIFORM_SLOT_BYTES, type Pipeline } from './pipelines.ts';
import type { Dispatch } from './plan.ts';
import type { StorageVariable } from './shader.ts';

/**
 * Bind groups kept; a program that uses ever new buffers starts over when there are so many. WebGPU has no way to destroy
 * one: those dropped go when JavaScript's garbage collector finds them, which may be much later. Mesa's lavapipe maps
 * memory for each, and Linux allows a process 65530 of those, so this is far below it.
 */
const MAX_BIND_GROUPS = 8192;

/** One storage variable of a dispatch and what its plan binds to it. */
export interface BoundVariable {
  readonly variable: StorageVariable;
  /** The buffer's name in the plan. */
  readonly name: string;
  /** A slice of the buffer in bytes; null for all of it. */
  readonly slice: { readonly offset: number; readonly size: number } | null;
}

/** What a dispatch binds, checked against what its shader declares. */
export function boundVariables({ storage }: Pipeline, dispatch: Dispatch): readonly BoundVariable[] {
  const bound = storage.map((variable): BoundVariable => {
    const binding = dispatch.bindings[variable.name];
    if (binding === undefined) {
      throw new ConvbaseError('shader/bindings', `nothing is bound to '${variable.name}'`, {
        where: dispatch.shader,
      });
    }
    if (typeof binding === 'string') return { variable, name: binding, slice: null };
    const size = Math.max(16, Math.ceil(binding.size / 4) * 4);
    return { variable, name: binding.buffer, slice: { offset: binding.offset, size } };
  });
  if (Object.keys(dispatch.bindings).length !== bound.length) {
    const given = Object.keys(dispatch.bindings).join();
    const wanted = storage.map(({ name }) => name).join();
    throw new ConvbaseError('shader/bindings', `bindings [${given}] given, [${wanted}] wanted`, {
      where: dispatch.shader,
    });
  }
  return bound;
}

/**
 * Bind groups by what is in them. A dispatch that is recorded again finds its own by the numbers of its buffers alone;
 * different dispatches with the same layout and the same slices share one.
 */
export class BindGroupCache {
  readonly #device: GPUDevice;
  readonly #uniforms: GPUBuffer;
  readonly #limit: number;
  readonly #groups = new Map<
    string,
    { readonly group: GPUBindGroup; readonly bufferIds: readonly number[] }
  >();
  readonly #groupsOfBuffer = new Map<number, Set<string>>();
  /**
   * Those that each dispatch has used, by the buffers in them. Plans are kept long, so groups that are dropped must not
   * hang on their dispatches: a new map forgets them all.
   */
  #ofDispatch = new WeakMap<Dispatch, Map<string, GPUBindGroup>>();
  /** Bind groups made so far. */
  made = 0;

  constructor(device: GPUDevice, uniforms: GPUBuffer, limit = MAX_BIND_GROUPS) {
    this.#device = device;
    this.#uniforms = uniforms;
    this.#limit = limit;
  }

  /** The bind group for a dispatch's variables with these buffers. */
  get(
    pipeline: Pipeline,
    dispatch: Dispatch,
    bound: readonly BoundVariable[],
    buffers: Readonly<Record<string, GpuBuffer>>,
  ): GPUBindGroup {
    let key = '';
    for (const { name } of bound) {
      const buffer = buffers[name];
      if (buffer === undefined) {
        throw new ConvbaseError('shader/bindings', `no buffer is called '${name}'`, {
          where: dispatch.shader,
        });
      }
      key += `${buffer.id}:${buffer.size},`;
    }
    const known = this.#ofDispatch.get(dispatch)?.get(key);
    if (known !== undefined) return known;
    const group = this.#shared(pipeline, bound, buffers);
    const own = this.#ofDispatch.get(dispatch);
    if (own) own.set(key, group);
    else this.#ofDispatch.set(dispatch, new Map([[key, group]]));
    return group;
  }

  /** Forgets the bind groups of a buffer that is being destroyed. */
  forget(bufferId: number): void {
    const keys = this.#groupsOfBuffer.get(bufferId);
    if (keys === undefined) return;
    this.#ofDispatch = new WeakMap();
    for (const key of keys) {
      for (const id of this.#groups.get(key)?.bufferIds ?? []) this.#groupsOfBuffer.get(id)?.delete(key);
      this.#groups.delete(key);
    }
    this.#groupsOfBuffer.delete(bufferId);
  }

  #shared(
    pipeline: Pipeline,
    bound: readonly BoundVariable[],
    buffers: Readonly<Record<string, GpuBuffer>>,
  ): GPUBindGroup {
    let key = String(pipeline.layoutId);
    const entries: GPUBindGroupEntry[] = [];
    const bufferIds: number[] = [];
    for (const { variable, name, slice } of bound) {
      const buffer = buffers[name];
      if (buffer === undefined) continue;
      const { offset, size } = slice ?? { offset: 0, size: buffer.size };
      key += `,${buffer.id}:${offset}:${size}`;
      bufferIds.push(buffer.id);
      const resource = { buffer: buffer.raw, offset, size: Math.min(size, buffer.capacity - offset) };
      entries.push({ binding: variable.binding, resource });
    }
    const known = this.#groups.get(key);
    if (known !== undefined) return known.group;
    if (pipeline.hasUniforms) {
      entries.push({ binding: 0, resource: { buffer: this.#uniforms, size: UNIFORM_SLOT_BYTES } });
    }
    const group = this.#device.createBindGroup({ layout: pipeline.layout, entries });
    this.made += 1;
    if (this.#groups.size >= this.#limit) {
      this.#groups.clear();
      this.#groupsOfBuffer.clear();
      this.#ofDispatch = new WeakMap();
    }
    this.#groups.set(key, { group, bufferIds });
    for (const id of bufferIds) {
      const keys = this.#groupsOfBuffer.get(id);
      if (keys) keys.add(key);
      else this.#groupsOfBuffer.set(id, new Set([key]));
    }
    return group;
  }
}
