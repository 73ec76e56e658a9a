import { ConvbaseError } from '@convbase/base';
import type { Dispatch } from './plan.ts';
import { shaderInterface, shaderText, type ShaderName, type StorageVariable } from './shader.ts';

/** A compiled compute pipeline with what is needed to bind buffers to it. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  /** That of every pipeline of the same shader, so that they share bind groups. */
  readonly layout: GPUBindGroupLayout;
  readonly layoutId: number;
  readonly storage: readonly StorageVariable[];
  readonly hasUniforms: boolean;
}

/** Bytes that every dispatch may use for its uniforms: 64 scalars. */
export const UNIFORM_SLOT_BYTES = 256;

/**
 * Compiles each (shader, constants) pair once and in parallel. A pipeline asked for twice while it is being
 * compiled is compiled once: the map holds the promise.
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #inFlight = new Map<string, Promise<Pipeline>>();
  readonly #ready = new Map<string, Pipeline>();
  /** The same by dispatch: one that is recorded again needs no key. */
  readonly #known = new WeakMap<Dispatch, Pipeline>();
  readonly #layouts = new Map<ShaderName, { readonly id: number; readonly layout: GPUBindGroupLayout }>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The pipeline if it has been compiled already. */
  ready(dispatch: Dispatch): Pipeline | undefined {
    const known = this.#known.get(dispatch);
    if (known !== undefined) return known;
    const ready = this.#ready.get(pipelineKey(dispatch));
    if (ready !== undefined) this.#known.set(dispatch, ready);
    return ready;
  }

  /** Starts compiling, or joins a compilation under way. */
  compile(dispatch: Dispatch): Promise<Pipeline> {
    const key = pipelineKey(dispatch);
    let promise = this.#inFlight.get(key);
    if (!promise) {
      promise = this.#create(dispatch).then((pipeline) => {
        this.#ready.set(key, pipeline);
        return pipeline;
      });
      // A failure is reported to whoever awaits it; this keeps Node from calling it unhandled before that.
      promise.catch(() => undefined);
      this.#inFlight.set(key, promise);
    }
    return promise;
  }

  /** Resolves when nothing is being compiled, whether it worked or not. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#inFlight.values());
  }

  get size(): number {
    return this.#ready.size;
  }

  /** The bind group layout of a shader. */
  #layout(shader: ShaderName): { readonly id: number; readonly layout: GPUBindGroupLayout } {
    const known = this.#layouts.get(shader);
    if (known !== undefined) return known;
    const { storage, uniforms } = shaderInterface(shader);
    const entries: GPUBindGroupLayoutEntry[] = storage.map(({ binding, writable }) => ({
      binding,
      visibility: 4, // GPUShaderStage.COMPUTE
      buffer: { type: writable ? 'storage' : 'read-only-storage' },
    }));
    if (uniforms.length > 0) {
      entries.push({
        binding: 0,
        visibility: 4,
        buffer: {
          type: 'uniform',
          hasDynamicOffset: true,
          minBindingSize: Math.ceil(uniforms.length / 4) * 16,
        },
      });
    }
    const layout = this.#device.createBindGroupLayout({ label: shader, entries });
    const made = { id: this.#layouts.size, layout };
    this.#layouts.set(shader, made);
    return made;
  }

  async #create(dispatch: Dispatch): Promise<Pipeline> {
    const { storage, uniforms } = shaderInterface(dispatch.shader);
    const label = dispatch.shader;
    const code = shaderText(dispatch.shader, dispatch.constants);
    const module = this.#device.createShaderModule({ label, code });
    const { id: layoutId, layout } = this.#layout(dispatch.shader);
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        label,
        layout: this.#device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      });
      return { pipeline, layout, layoutId, storage, hasUniforms: uniforms.length > 0 };
    } catch (cause) {
      throw new ConvbaseError('shader/compile', await explainFailure(module, code, cause), {
        where: `${dispatch.shader} ${JSON.stringify(dispatch.constants)}`,
        cause,
      });
    }
  }
}

/** Dispatches with the same key run the same machine code. */
export function pipelineKey(dispatch: Dispatch): string {
  let key: string = dispatch.shader;
  for (const [name, value] of Object.entries(dispatch.constants)) key += `|${name}=${String(value)}`;
  return key;
}

async function explainFailure(module: GPUShaderModule, code: string, cause: unknown): Promise<string[]> {
  const { messages } = await module.getCompilationInfo();
  const lines = code.split('\n');
  const errors = messages
    .filter((message) => message.type === 'error')
    .flatMap((m) => [`line ${m.lineNum}: ${m.message}`, `  ${(lines[m.lineNum - 1] ?? '').trim()}`]);
  if (errors.length > 0) return ['the shader does not compile', ...errors];
  return `the pipeline cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`.split('\n');
}
